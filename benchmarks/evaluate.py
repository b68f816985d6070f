"""Measuring ResNet-20 on 10,000 pictures against the usual loop, as a ratio in one run: `python benchmarks/evaluate.py`.

The usual loop is a DataLoader over PIL pictures with torchvision's transforms, in fp32, with the better of 0 and 2 worker
processes. Ours is `evaluation.measure`. Both begin with the decoded pictures in memory, and answer the same ones: CIFAR-10's
10,000 test images where the Hub's cache has them, else the 1,000 that ship, ten times. The sides take turns, so that whatever else
the machine does meets both. Answers that differ are counted, and those that are no near ties (the two likeliest classes within
0.01 of the softmax in fp32). The first answer of the tab, from what ships, is timed in a fresh process.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

sys.path.insert(0, str(Path(__file__).parents[1]))

from resnet_demo.data import cifar10
from resnet_demo.evaluation import testset
from resnet_demo.evaluation.measure import measure
from resnet_demo.zoo import catalogue, folder

ROOT = Path(__file__).parents[1]
GOAL, BATCH, NEAR_TIE = 3.0, 128, 0.01
FIRST = """
import time; start = time.perf_counter()
from resnet_demo.ui.engine import Engine
engine = Engine(); imported = time.perf_counter()
from resnet_demo.ui.evaluate_callbacks import initial
first, pictures = initial(engine)
assert first['state'] == 'result' and pictures['pictures']
import sys; again = time.perf_counter(); initial(engine)
print(f"{1000 * (again - imported):.0f} {1000 * (time.perf_counter() - again):.0f} {'torch' in sys.modules}")
"""


class Pictures(Dataset[tuple[Tensor, int]]):
    """As torchvision.datasets.CIFAR10: arrays in memory, a PIL picture made of one when it is asked for."""

    def __init__(self, pictures: testset.TestSet, transform: Callable[[Image.Image], Tensor]) -> None:
        assert pictures.pixels is not None
        self.pixels, self.labels = pictures.pixels.permute(0, 2, 3, 1).contiguous().numpy(), pictures.labels.tolist()
        self.transform = transform

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.pixels[index])), self.labels[index]


def ten_thousand() -> testset.TestSet:
    """CIFAR-10's test images, or the bundled ones ten times."""
    if cifar10.is_test_local():
        return testset.load("cifar10")
    small = testset.load("bundled")
    assert small.pixels is not None
    return testset.TestSet(
        "the bundled images ten times", small.classes, small.labels.repeat(10), lambda number: small.picture(number % 1000),
        small.split, small.pixels.repeat(10, 1, 1, 1),
    )  # fmt: skip


def first(pictures: testset.TestSet, count: int) -> testset.TestSet:
    """The first pictures of a set."""
    assert pictures.pixels is not None
    return replace(pictures, labels=pictures.labels[:count], pixels=pictures.pixels[:count])


def usual(weights: folder.Weights, pictures: testset.TestSet, workers: int) -> Tensor:
    """The shares of the softmax by the usual loop."""
    mean, std = weights.preprocessing.mean, weights.preprocessing.std
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize(mean, std)])
    loader = DataLoader(Pictures(pictures, transform), BATCH, num_workers=workers)
    weights.model.eval()
    with torch.no_grad():
        return torch.cat([weights.model(images) for images, _ in loader]).softmax(1)


def timed(function: Callable[[], Any]) -> tuple[Any, float]:
    """The result and the seconds."""
    start = time.perf_counter()
    result = function()
    return result, time.perf_counter() - start


def main() -> None:
    """Measure both sides in turn and print medians, the ratio and the differing answers."""
    parser = argparse.ArgumentParser(description="Evaluation against the usual loop.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pictures", type=int, default=10_000, help="fewer, for a machine that does other work too")
    parser.add_argument("--model", default="resnet20-cifar10", help="a folder of weights/")
    parsed = parser.parse_args()
    place = catalogue.find(parsed.model)
    assert place is not None
    weights, pictures = folder.load(place), first(ten_thousand(), parsed.pictures)
    seconds: dict[str, list[float]] = {"usual loop": [], "usual loop, 2 workers": [], "this project": []}
    for _ in range(parsed.rounds):
        shares, alone = timed(lambda: usual(weights, pictures, 0))
        _, with_workers = timed(lambda: usual(weights, pictures, 2))
        measurement, ours = timed(lambda: measure(weights, pictures))
        for name, took in zip(seconds, (alone, with_workers, ours), strict=True):
            seconds[name].append(took)
    count = len(pictures.labels)
    print(f"{parsed.model}, {count:,} pictures ({pictures.name}), {measurement.about.device}, torch {torch.__version__}")
    for name, values in seconds.items():
        print(f"{name:24} {count / statistics.median(values):7.0f} images/s ({', '.join(f'{count / v:.0f}' for v in values)})")
    best = min(("usual loop", "usual loop, 2 workers"), key=lambda name: statistics.median(seconds[name]))
    ratio = statistics.median(theirs / own for theirs, own in zip(seconds[best], seconds["this project"], strict=True))
    different = torch.from_numpy(measurement.predicted).long() != shares.argmax(1)
    top = shares.topk(2).values
    no_ties = int((different & (top[:, 0] - top[:, 1] > NEAR_TIE)).sum())
    print(f"{ratio:.2f} x the {best} (goal {GOAL}: {'reached' if ratio >= GOAL else 'missed'})")
    print(f"{int(different.sum())} of {count:,} answers differ, {no_ties} of them no near tie")
    done = subprocess.run([sys.executable, "-c", FIRST], cwd=ROOT, capture_output=True, text=True, check=True)
    first_ms, again_ms, has_torch = done.stdout.split()
    print(f"first screen of the tab from what ships: {first_ms} ms, again {again_ms} ms; torch loaded: {has_torch}")


if __name__ == "__main__":
    main()
