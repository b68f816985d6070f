"""How fast `train` is, as a ratio to the common public recipe, measured in one run on one machine.

    python benchmarks/train_throughput.py [--steps 60] [--repeats 5] [--json]

Ours: the whole of a `train` run (session.run: whole-batch pad, crop and flip on one tensor of bytes, the number
format this machine does faster, channels last, kept memory, the record on disk included), as it is and with --compile
(the compiling itself, before the first timed step, does not count: `--compile` is for long trainings).

The public recipe: torchvision's RandomCrop(32, padding=4), RandomHorizontalFlip, ToTensor and Normalize on PIL
pictures, a DataLoader at the best of 0, 1, 2 and 4 worker processes, fp32, channels first, SGD with momentum, the
loss read after each step, not compiled.

Both train the same network, this project's ResNet-20, at batch 128 on the same 50,000 pictures (those that ship,
repeated), so that only the recipe differs. Every measurement is a process of its own; the sides take turns, so that
a machine that slows down slows all of them. A round's figure is the pictures of the timed steps by their seconds;
the table gives the medians over the rounds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

BATCH, PICTURES = 128, 50_000
WORKERS = (0, 1, 2, 4)
OURS = ("train", "train --compile")
PUBLIC = tuple(f"public recipe, {workers} workers" for workers in WORKERS)
SIDES = OURS + PUBLIC


def fifty_thousand() -> Any:
    """The bundled data set, its training pictures repeated to the size of CIFAR-10, as what a step touches must not fit a cache."""
    from resnet_demo.config import DataConfig
    from resnet_demo.data.dataset import ImageSet, load

    bundled = load(DataConfig(source="bundled", test_limit=100))
    times = -(-PICTURES // len(bundled.train))
    images, labels = bundled.train.images.repeat(times, 1, 1, 1), bundled.train.labels.repeat(times)
    return replace(bundled, train=ImageSet(images[:PICTURES], labels[:PICTURES]))


def ours(steps: int, warmup: int, compiled: bool) -> dict[str, Any]:
    """Images a second of a `train` run between its steps `warmup` and `steps`."""
    from resnet_demo.config import ArmConfig, ModelConfig, RunConfig
    from resnet_demo.training import machine, session
    from resnet_demo.training.events import RunStarted, TrainingPoint

    machine.keep_memory()
    arm = ArmConfig(name="resnet20", model=ModelConfig.named("resnet20"))
    config = RunConfig(arms=(arm,), batch=BATCH, steps=steps, log_every=5, compile=compiled)
    start_time = seconds = 0.0
    precision = ""
    with tempfile.TemporaryDirectory() as folder:
        for event in session.run(config, Path(folder) / "run", load=lambda _config: fifty_thousand()):
            if isinstance(event, RunStarted):
                precision = event.precision
            if isinstance(event, TrainingPoint) and event.step == warmup:
                start_time = time.perf_counter()
            if isinstance(event, TrainingPoint) and event.step == steps:
                seconds = time.perf_counter() - start_time
    return {"images_per_second": BATCH * (steps - warmup) / seconds, "precision": precision}


def public(steps: int, warmup: int, workers: int) -> dict[str, Any]:
    """Images a second of the public recipe between its steps `warmup` and `steps`."""
    import torch
    import torch.nn.functional as F
    from PIL import Image
    from torch.utils.data import DataLoader, Dataset
    from torchvision import transforms

    from resnet_demo.config import ModelConfig
    from resnet_demo.model.resnet import build
    from resnet_demo.training import machine

    warnings.filterwarnings("ignore", message="This DataLoader will create")  # more workers than cores: tried on purpose
    source = fifty_thousand()
    pixels = source.train.images.permute(0, 2, 3, 1).contiguous().numpy()
    labels = source.train.labels.tolist()
    augment = transforms.Compose(
        [
            transforms.RandomCrop(32, padding=4),
            transforms.RandomHorizontalFlip(),
            transforms.ToTensor(),
            transforms.Normalize(source.mean, source.std),
        ]
    )

    class Pictures(Dataset[tuple[torch.Tensor, int]]):
        """As torchvision.datasets.CIFAR10: arrays in memory, a PIL picture made of one when it is asked for."""

        def __len__(self) -> int:
            return len(labels)

        def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
            return augment(Image.fromarray(pixels[index])), labels[index]

    device = machine.Machine().device
    loader = DataLoader(
        Pictures(), BATCH, shuffle=True, drop_last=True, num_workers=workers, pin_memory=device.type == "cuda",
        persistent_workers=workers > 0,
    )  # fmt: skip
    model = build(ModelConfig.named("resnet20"), 0).to(device).train()
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9, weight_decay=1e-4)
    start_time, running = 0.0, 0.0

    def forever() -> Iterator[Any]:
        while True:
            yield from loader

    for step, (images, targets) in zip(range(1, steps + 1), forever(), strict=False):
        loss = F.cross_entropy(model(images.to(device, non_blocking=True)), targets.to(device, non_blocking=True))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        running += loss.item()
        if step == warmup:
            start_time = time.perf_counter()
    return {"images_per_second": BATCH * (steps - warmup) / (time.perf_counter() - start_time), "precision": "fp32"}


def machine_words() -> str:
    """Processor, cores and torch, as the table's caption."""
    import torch

    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if line.startswith("model name")]
        model = names[0] if names else model
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    place = f"{accelerator}, " if accelerator is not None else ""
    return f"{place}{model}, {cores} cores, torch {torch.__version__}, Python {platform.python_version()}"


def measured_apart(side: str, steps: int, warmup: int) -> dict[str, Any]:
    """One measurement in a process of its own."""
    command = [sys.executable, __file__, "--side", side, "--steps", str(steps), "--warmup", str(warmup)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    report: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return report


def compare(steps: int, warmup: int, repeats: int, tell: Callable[[str], None]) -> dict[str, Any]:
    """All sides in turn, `repeats` times; medians, spread and the ratio to the public recipe at its best."""
    import psutil

    busy = psutil.cpu_percent(interval=1)
    figures: dict[str, list[float]] = {side: [] for side in SIDES}
    precision = ""
    for number in range(repeats):
        for side in SIDES:
            report = measured_apart(side, steps, warmup)
            figures[side].append(report["images_per_second"])
            precision = report["precision"] if side in OURS else precision
            tell(f"round {number + 1} of {repeats}: {side}: {report['images_per_second']:.0f} images/s")
    medians = {side: statistics.median(values) for side, values in figures.items()}
    best = max(PUBLIC, key=medians.__getitem__)
    by_round = {side: [mine / theirs for mine, theirs in zip(figures[side], figures[best], strict=True)] for side in OURS}
    return {
        "machine": machine_words(), "precision": precision, "busy_before_percent": busy, "steps": steps, "warmup": warmup,
        "images_per_second": figures, "medians": medians, "best_public": best,
        "ratios": {side: medians[side] / medians[best] for side in OURS}, "ratios_by_round": by_round,
    }  # fmt: skip


def table(result: dict[str, Any]) -> str:
    """The result for people."""
    lines = [f"{result['machine']}; ResNet-20, batch {BATCH}, {result['steps'] - result['warmup']} timed steps a round"]
    if result["busy_before_percent"] > 10:
        lines.append(
            f"NOT TO BE QUOTED: other work took {result['busy_before_percent']:.0f} % of the processor before the start."
        )
    lines.append(f"{'':34} {'images/s':>9} {'lowest':>8} {'highest':>8}")
    for side, values in result["images_per_second"].items():
        name = f"{side} ({result['precision']})" if side in OURS else f"{side} (fp32)"
        lines.append(f"{name:34} {result['medians'][side]:9.0f} {min(values):8.0f} {max(values):8.0f}")
    lines.append("The recipe is not compiled; the time that --compile takes before the first step is not counted.")
    for side, ratio in result["ratios"].items():
        rounds = ", ".join(f"{of_round:.2f}" for of_round in result["ratios_by_round"][side])
        lines.append(f"{side} to the {result['best_public']}: {ratio:.2f} (by round: {rounds})")
    return "\n".join(lines)


def main() -> None:
    """Compare, or, for a process that `compare` started, measure one side."""
    parser = argparse.ArgumentParser(description="Images a second of `train` against the common public recipe.")
    parser.add_argument("--steps", type=int, default=60, help="steps a measurement, with the warm-up (default: 60)")
    parser.add_argument("--warmup", type=int, default=10, help="of these, steps that are not timed; 5 divides it (default: 10)")
    parser.add_argument("--repeats", type=int, default=5, help="rounds (default: 5)")
    parser.add_argument("--json", action="store_true", help="print everything measured as JSON")
    parser.add_argument("--side", choices=SIDES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.warmup % 5 or not 0 < options.warmup < options.steps or options.repeats < 1:
        parser.error("--warmup must be a multiple of 5 below --steps, and --repeats at least 1.")
    if options.side in OURS:
        print(json.dumps(ours(options.steps, options.warmup, "--compile" in options.side)))
    elif options.side:
        print(json.dumps(public(options.steps, options.warmup, WORKERS[PUBLIC.index(options.side)])))
    else:
        result = compare(options.steps, options.warmup, options.repeats, lambda line: print(line, file=sys.stderr, flush=True))
        print(json.dumps(result) if options.json else table(result))


if __name__ == "__main__":
    main()
