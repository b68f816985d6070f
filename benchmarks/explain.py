"""What an answer of the Classify tab costs until it is visible, as a ratio to a bare forward pass.

    python benchmarks/explain.py [--networks resnet50 resnet20] [--rounds 20] [--threads N] [--clock wall]

ResNet-50 at 224 and ResNet-20 at 32, with random weights. The page's answer is measured as the page gets it, from the picture
to the values that are sent: preprocessing, forward pass, predictions, the last stage's Grad-CAM, and the pictures encoded. The
others get the preprocessed tensor and give no more than a map of the last stage as an array. All are interleaved in one run, so
that whatever else the machine does meets all of them. The measure is the forward pass alone, for ResNet-50 that of
torchvision's model; below stands the goal. Small pictures are answered with one thread (inference/threads.py), so all have
one there. Needs torchvision, captum and grad-cam (requirements-dev.txt).
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import captum.attr
import torch
import torchvision
from PIL import Image
from pytorch_grad_cam import GradCAM
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

sys.path.insert(0, str(Path(__file__).parents[1]))

from resnet_demo import files
from resnet_demo.config import ModelConfig
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.inference.examples import EXAMPLE_PICTURES
from resnet_demo.inference.request import ClassifyRequest
from resnet_demo.inference.threads import LARGE
from resnet_demo.model.resnet import build
from resnet_demo.ui.engine import Engine
from resnet_demo.zoo import folder

SIDES = {"resnet50": 224, "resnet20": 32}
GOALS = {"resnet50": 1.2}
BARE, VISIBLE = "forward pass only", "this project: until the answer is visible"


def ways(name: str, engine: Engine) -> dict[str, Callable[[], Any]]:
    """What is compared."""
    config, side = ModelConfig.named(name), SIDES[name]
    ours = build(config).eval().requires_grad_(False)
    preprocessing = Preprocessing(image_size=side, resize=side)
    classes = tuple(map(str, range(config.classes)))
    content = folder.ModelFolder(architecture=config, classes=classes, preprocessing=preprocessing)
    folder.write(files.home() / "models" / f"random-{name}", content, ours.state_dict(), "")
    request = ClassifyRequest(model=f"random-{name}")
    picture = Image.open(next(example.path for example in EXAMPLE_PICTURES if example.path.suffix == ".jpg")).convert("RGB")
    x = preprocessing(picture)

    def theirs() -> torch.nn.Module:
        model = torchvision.models.resnet50(weights=None) if name == "resnet50" else build(config)
        model.load_state_dict(ours.state_dict())
        return model.eval()

    frozen, explained = theirs().requires_grad_(False), theirs()
    last = list(ours.stages)[-1]
    package = GradCAM(model=explained, target_layers=[explained.get_submodule(last)])

    def likeliest(model: torch.nn.Module) -> int:
        with torch.no_grad():
            return int(model(x).argmax())

    def answers(count: int) -> list[Any]:
        reports = []
        for step in engine.answer(picture, request):
            reports += [step] if isinstance(step, dict) else []
            if len(reports) == count:
                break
        return reports

    return {
        BARE: lambda: likeliest(frozen),
        VISIBLE: lambda: answers(1),
        "this project: until all maps are there": lambda: answers(2),
        "captum: predict, then LayerGradCam": lambda: captum.attr.LayerGradCam(frozen, frozen.get_submodule(last)).attribute(
            x.detach().requires_grad_(), likeliest(frozen)
        ),
        "grad-cam: predict, then GradCAM": lambda: package(
            input_tensor=x, targets=[ClassifierOutputTarget(likeliest(explained))]
        ),
        "grad-cam: GradCAM of the likeliest": lambda: package(input_tensor=x, targets=None),  # which it finds itself
    }


def measure(name: str, engine: Engine, rounds: int, clock: Callable[[], float]) -> float:
    """Time all ways in turn and print medians and ratios; returns the ratio that has a goal."""
    compared = ways(name, engine)
    seconds: dict[str, list[float]] = {way: [] for way in compared}
    for number in range(rounds + 2):
        for way, function in compared.items():
            start = clock()
            function()
            if number >= 2:  # two rounds to warm up
                seconds[way].append(clock() - start)
    ratios = {}
    for way, measured in seconds.items():
        ratios[way] = statistics.median(one / other for one, other in zip(measured, seconds[BARE], strict=True))
        minima = min(measured) / min(seconds[BARE])
        print(f"{way:42} {1000 * statistics.median(measured):8.1f} ms   {ratios[way]:5.2f} ×   {minima:5.2f} × of minima")
    return ratios[VISIBLE]


def main() -> None:
    """Measure the networks one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--networks", nargs="+", choices=list(SIDES), default=list(SIDES))
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--clock", choices=("wall", "cpu"), default="wall", help="cpu: for a machine that does other work too")
    parsed = parser.parse_args()
    clock = time.perf_counter if parsed.clock == "wall" else time.process_time
    torch.set_num_threads(parsed.threads)  # before the engine divides them among its answers
    engine = Engine()
    with tempfile.TemporaryDirectory() as home:
        os.environ["RESNET_DEMO_HOME"] = home
        engine.start().result()
        for name in parsed.networks:
            side = SIDES[name]
            threads = parsed.threads if side >= LARGE else 1
            torch.set_num_threads(threads)
            print(
                f"{name} at {side}: torch {torch.__version__}, {threads} threads, {parsed.rounds} rounds, {parsed.clock} time"
            )
            ratio, goal = measure(name, engine, parsed.rounds, clock), GOALS.get(name)
            if goal is not None:
                print(f"goal: at most {goal} ×; {'reached' if ratio <= goal else 'missed'}")


if __name__ == "__main__":
    main()
