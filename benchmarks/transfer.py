"""What transfer learning costs and gains, each as a ratio or a margin measured in one run.

python benchmarks/transfer.py cache [--images 5000] [--side 224] [--epochs 5]
    the course exercise's frozen phase (ResNet-50, random weights) with features computed once, against one forward
    pass over the same images, and against the same exercise with the base in every epoch (timed on --uncached of them)
python benchmarks/transfer.py margin [--base-steps 2000] [--seeds 5]
    a ResNet-20 trained on five classes of CIFAR-10, transferred to the other five with 20 pictures a class,
    against the same network from scratch at the same budget
python benchmarks/transfer.py own [--pictures 10] [--seeds 5]
    the preset 'Your own pictures', and from scratch, with three classes of bundled pictures, and which answers are
    called unsure; the shipped ResNet-20 has learned these classes and pictures, so the margin says nothing about new classes
python benchmarks/transfer.py click
    ten pictures in each of three classes, ResNet-20 base: seconds from the command to the warm worker to a classifier
"""

from __future__ import annotations

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from resnet_demo.config import ArmConfig, DataConfig, ModelConfig, OptimizerConfig, RunConfig
from resnet_demo.data import dataset
from resnet_demo.data.augment import normalize
from resnet_demo.data.dataset import CIFAR10_CLASSES, ImageSet
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.inference import confidence
from resnet_demo.model.resnet import build
from resnet_demo.training import machine, session
from resnet_demo.training.events import RunFinished, TrainingPoint, TransferMeasured
from resnet_demo.transfer.preparation import preparation_of
from resnet_demo.transfer.settings import TRANSFER_PRESETS, TransferSettings, transfer_run
from resnet_demo.zoo import folder

IMAGENET = Preprocessing(image_size=224, resize=224)


def write_base(path: Path) -> Path:
    """A ResNet-50 with random weights, as a model folder: its features cost what those of a trained one do."""
    architecture = ModelConfig.named("resnet50")
    content = folder.ModelFolder(
        architecture=architecture, classes=tuple(f"class {number}" for number in range(1000)), preprocessing=IMAGENET
    )
    folder.write(path, content, build(architecture).state_dict(), "# random\n")
    return path


def write_pictures(images: ImageSet, numbers: list[int], target: Path, part: str) -> None:
    """Pictures of CIFAR-10 as files, in a folder for each class."""
    from PIL import Image

    for number in numbers:
        path = target / part / CIFAR10_CLASSES[int(images.labels[number])]
        path.mkdir(parents=True, exist_ok=True)
        Image.fromarray(images.images[number].permute(1, 2, 0).numpy()).save(path / f"{number:05}.png")


def first_of_each(images: ImageSet, classes: range, count: int) -> list[int]:
    """The numbers of the first pictures of each class."""
    return [number for label in classes for number in (images.labels == label).nonzero().flatten().tolist()[:count]]


def seconds_of(config: RunConfig, target: Path) -> float:
    """The duration of a whole run: pictures, base, features, training, report."""
    start = time.perf_counter()
    last = None
    for event in session.run(config, target, prepare=preparation_of(config)):
        last = event
    assert isinstance(last, RunFinished), last
    return time.perf_counter() - start


def forward_seconds(base: Path, images: ImageSet, side: int, precision: str) -> float:
    """One bare forward pass over these images, resized to `side`, in batches of 32."""
    model = folder.load(base).model.to(memory_format=torch.channels_last)
    preprocessing = IMAGENET.model_copy(update={"image_size": side, "resize": side})
    start = time.perf_counter()
    with torch.no_grad(), machine.autocast(torch.device("cpu"), precision):
        for part in images.images.split(32):
            resized = torch.nn.functional.interpolate(part.float(), size=(side, side), mode="bilinear")
            model(normalize(resized, preprocessing.mean, preprocessing.std))
    return time.perf_counter() - start


def cache(images: int, side: int, epochs: int, uncached: int, precision: str, home: Path) -> None:
    """Print the time with cached features against a forward pass, and against the base in every epoch."""
    base, data = write_base(home / "base"), dataset.load(DataConfig())
    test = max(images // 50, 10)
    shared = {
        "base": str(base), "data": "bundled", "image_size": side, "hidden": "256", "epochs": epochs, "baselines": False,
        "precision": precision,
    }  # fmt: skip
    parts = {"train_limit": min(images - test, 4000), "test_limit": test}
    total = parts["train_limit"] + test
    if images - test > 4000:
        shared["data"], data = "cifar10", dataset.load(DataConfig(source="cifar10"))
        parts["train_limit"], total = images - test, images
    forward = forward_seconds(base, data.train[:total], side, precision)
    with_cache = seconds_of(transfer_run(TransferSettings(**shared, **parts), allow_paths=True), home / "cached")
    again = forward_seconds(base, data.train[:total], side, precision)
    forward = min(forward, again)
    print(f"one forward pass over {total:,} images of {side}×{side}, {precision}: {forward:.1f} s")
    print(
        f"the exercise, {epochs} epochs, features computed once: {with_cache:.1f} s, {with_cache / forward:.2f} × (at most 1.2)"
    )
    few = {"train_limit": min(uncached, parts["train_limit"]), "test_limit": 10}
    config = transfer_run(TransferSettings(**shared, **few, cache=False, seed=1), allow_paths=True)
    without = seconds_of(config, home / "uncached") * total / (few["train_limit"] + 10)
    print(
        f"the same with the base in every epoch: {without:.1f} s (from {few['train_limit']:,} images), "
        f"{without / with_cache:.1f} × as long (at least 4)"
    )


def margin(base_steps: int, seeds: int, pictures: int, epochs: int, home: Path) -> None:
    """Print the test accuracies of transfer and scratch, seed by seed."""
    data = dataset.load(DataConfig())
    known, new = range(5), range(5, 10)
    write_pictures(data.train, first_of_each(data.train, known, 400), home / "known", "train")
    write_pictures(data.test, first_of_each(data.test, known, 100), home / "known", "test")
    base = RunConfig(
        arms=(ArmConfig(name="base", model=ModelConfig(classes=5)),), data=DataConfig(source=str(home / "known")),
        optimizer=OptimizerConfig(learning_rate=0.1, schedule="one-cycle", nesterov=True, weight_decay=5e-4), steps=base_steps,
        batch=64, log_every=50,
    )  # fmt: skip
    for event in session.run(base, home / "base"):
        if event.kind == "measured":
            print(f"the base: {1 - event.error:.1%} right on the test images of its own five classes")  # type: ignore[union-attr]
    settings = TransferSettings(
        base=str(home / "base" / "arms" / "base"), validation=0.0, batch=20, epochs=epochs, learning_rate=0.003
    )
    against_scratch(settings, new, seeds, pictures, home)


def own(seeds: int, pictures: int, home: Path) -> None:
    """The same for the preset for pictures of one's own, whose base has learned the classes; and which answers are unsure."""
    against_scratch(TRANSFER_PRESETS["Your own pictures"].settings, range(3), seeds, pictures, home)
    test = dataset.load(DataConfig()).test
    for title, classes in (("its three classes", range(3)), ("the seven others", range(3, 10))):
        images = test.images[first_of_each(test, classes, 100)]
        counts = [0, 0]
        for seed in range(seeds):
            weights = folder.load(home / f"run-{seed}" / "arms" / "transfer")
            with torch.no_grad():
                shares = weights.model(normalize(images, weights.preprocessing.mean, weights.preprocessing.std)).softmax(1)
            entropies = torch.special.entr(shares).sum(1) / math.log(shares.shape[1])
            for best, entropy in zip(shares.max(1).values.tolist(), entropies.tolist(), strict=True):
                counts[0] += confidence.is_unsure(best, entropy, shares.shape[1])
                counts[1] += entropy > confidence.UNSURE
        by_rule, by_entropy = (f"{count / (seeds * len(images)):.1%}" for count in counts)
        print(f"test pictures of {title}: {by_rule} called unsure; by the entropy alone {by_entropy}")


def against_scratch(settings: TransferSettings, classes: range, seeds: int, pictures: int, home: Path) -> None:
    """Print what transfer and training from scratch reach with some pictures of each class, drawn anew for each seed."""
    data = dataset.load(DataConfig())
    write_pictures(data.test, first_of_each(data.test, classes, 100), home / "new", "test")
    margins, fits = [], []
    for seed in range(seeds):
        target = home / f"new-{seed}"
        generator = torch.Generator().manual_seed(seed)
        for label in classes:
            of_class = (data.train.labels == label).nonzero().flatten()
            numbers = of_class[torch.randperm(len(of_class), generator=generator)[:pictures]].tolist()
            write_pictures(data.train, numbers, target, "train")
        (target / "test").symlink_to(home / "new" / "test")
        changes = {"data": str(target), "scratch": True, "seed": seed}
        config = transfer_run(settings.model_copy(update=changes), allow_paths=True)
        events = list(session.run(config, home / f"run-{seed}", prepare=preparation_of(config)))
        result = next(event for event in events if isinstance(event, TransferMeasured))
        points = [event for event in events if isinstance(event, TrainingPoint) and event.arm == "scratch"]
        fits.append(1 - statistics.fmean(point.error for point in points[-5:]))
        scratch = result.baselines[-1]
        margins.append(result.test_accuracy - scratch.test_accuracy)
        print(
            f"seed {seed}: transfer {result.test_accuracy:.1%}, scratch {scratch.test_accuracy:.1%} of {result.test_images} test "
            f"pictures, p {scratch.p:.2g}; scratch has {fits[-1]:.1%} of its own pictures right at the end"
        )
    spread = statistics.stdev(margins) if len(margins) > 1 else 0.0
    print(
        f"transfer beats scratch in {sum(one > 0 for one in margins)} of {seeds} seeds, "
        f"by {100 * statistics.fmean(margins):.1f} ± {100 * spread:.1f} points, {config.transfer.head_steps} steps each"  # type: ignore[union-attr]
    )


def click(repeats: int, home: Path) -> None:
    """Print the seconds from the command to the warm worker until the classifier's folder is written."""
    data = dataset.load(DataConfig())
    write_pictures(data.train, first_of_each(data.train, range(3), 10), home / "mine", "")
    settings = TransferSettings(data=str(home / "mine"), epochs=100, batch=16, learning_rate=0.01, validation=0.2)
    command = [sys.executable, "-m", "resnet_demo.runs.worker"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdin and worker.stdout
        worker.stdout.readline()  # it is warm
        times = []
        for number in range(repeats):
            target = home / f"click-{number}"
            target.mkdir()
            start = time.perf_counter()
            config = transfer_run(settings.model_copy(update={"seed": number}))
            (target / "config.json").write_text(config.model_dump_json())
            worker.stdin.write(json.dumps({"do": "train", "folder": str(target), "resume": True}) + "\n")
            worker.stdin.flush()
            answer = json.loads(worker.stdout.readline())
            times.append(time.perf_counter() - start)
            assert answer["failed"] is None, answer
            assert (target / "arms" / "transfer" / "model.safetensors").exists()
        worker.stdin.close()
    later = f", then {statistics.median(times[1:]):.2f} s with cached features" if times[1:] else ""
    print(f"ten pictures in each of three classes to a classifier: {times[0]:.2f} s{later} (at most 5)")


def main() -> None:
    """Run one of the four."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("cache", "margin", "own", "click"))
    parser.add_argument("--images", type=int, default=5_000)
    parser.add_argument("--uncached", type=int, default=500)
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--epochs", type=int)
    parser.add_argument("--precision", default="fp32", choices=("fp32", "bf16"))
    parser.add_argument("--base-steps", type=int, default=2_000)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--pictures", type=int, help="of each class")
    parser.add_argument("--repeats", type=int, default=3)
    parsed = parser.parse_args()
    machine.keep_memory()
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        with environment(home):
            match parsed.what:
                case "cache":
                    cache(parsed.images, parsed.side, parsed.epochs or 5, parsed.uncached, parsed.precision, home)
                case "margin":
                    margin(parsed.base_steps, parsed.seeds, parsed.pictures or 20, parsed.epochs or 60, home)
                case "own":
                    own(parsed.seeds, parsed.pictures or 10, home)
                case "click":
                    click(parsed.repeats, home)


@contextmanager
def environment(home: Path) -> Iterator[None]:
    """No features of an earlier measurement: RESNET_DEMO_HOME is a folder of its own."""
    os.environ["RESNET_DEMO_HOME"] = str(home / "home")
    try:
        yield
    finally:
        del os.environ["RESNET_DEMO_HOME"]


if __name__ == "__main__":
    main()
