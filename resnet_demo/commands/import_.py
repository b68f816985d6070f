"""`import`: another project's checkpoint becomes a model folder of ours, with the normalization that fits."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnet_demo.errors import DataError, SettingError, WeightsError

if TYPE_CHECKING:
    from resnet_demo.config import ModelConfig
    from resnet_demo.evaluation.fitting import Trial

CLEARLY = 0.05
"""A normalization that gets this much more right than the given one is worth a warning."""
NOISE = 0.01
"""Shares of 1,000 images that differ by less may differ by chance."""
NEAR_CHANCE = 2.0
"""Times chance: a model below this with every normalization was not read as it was trained."""


def add(to: Any) -> None:
    """Add the command to the subparsers `to`."""
    bring = to.add_parser("import", help="make a model folder of another project's checkpoint", description=run.__doc__)
    bring.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="a .pt, .pth, .th or .safetensors file")
    bring.add_argument("--out", type=Path, required=True, metavar="DIR", help="the model folder to write")
    for name in ("mean", "std"):
        bring.add_argument(
            f"--{name}", type=float, nargs=3, metavar=("R", "G", "B"), help=f"{name} of the pixels, for values from 0 to 1"
        )
    bring.add_argument("--plain", action="store_true", default=None, help="it is a plain network: no shortcuts")
    bring.add_argument("--classes", type=Path, metavar="FILE", help="the names of the classes, one a line, in order")
    bring.add_argument("--json", action="store_true", help="print one JSON value")
    bring.set_defaults(command=run)


def run(parsed: argparse.Namespace) -> int:
    """Read a checkpoint, recognise its network from names and shapes, and find the normalization it was trained with.

    For a CIFAR network of ten classes the common normalizations are tried on 1,000 bundled training images; the test
    images only measure the one that was taken.
    """
    if (parsed.mean is None) != (parsed.std is None):
        raise SettingError("--mean and --std belong together: give both, or neither to have the common ones tried.")
    if parsed.mean and not all(math.isfinite(value) for value in parsed.mean):
        raise SettingError(f"--mean must be three finite numbers (given: {parsed.mean}).")
    if parsed.std and not all(math.isfinite(value) and value > 0 for value in parsed.std):
        raise SettingError(f"--std must be three numbers above 0 (given: {parsed.std}).")
    from resnet_demo.config import parse
    from resnet_demo.data.preprocessing import Preprocessing
    from resnet_demo.evaluation import fitting
    from resnet_demo.zoo import folder, foreign

    if (parsed.out / folder.CONFIG).exists():
        raise WeightsError(f"{parsed.out} holds a model already: name another folder.")
    if parsed.mean:
        parse(Preprocessing, {"mean": parsed.mean, "std": parsed.std})  # says what they may be before anything is measured
    state = foreign.read(parsed.checkpoint)
    config = foreign.recognise(state)
    classes = _classes(parsed.classes, config.classes)
    if parsed.plain:
        config = config.model_copy(update={"residual": False})
    foreign.network(config, state, str(parsed.checkpoint))  # strict: refuses what does not fit before anything is measured
    given = (tuple(parsed.mean), tuple(parsed.std)) if parsed.mean else None
    tried = list(fitting.trials(state, config, str(parsed.checkpoint), given)) if fitting.can_try(config) else []
    chosen = _chosen(tried, given)
    warnings = _warnings(tried, chosen, config, given)
    if chosen is not None:
        config, mean, std = chosen.config, chosen.mean, chosen.std
    else:
        mean, std = given or fitting.NORMALIZATIONS["ImageNet's mean and deviation"]
    accuracy = fitting.test_accuracy(state, chosen, str(parsed.checkpoint)) if chosen else None
    _write(parsed, state, config, classes, mean, std, accuracy)
    for warning in warnings:
        print(f"resnet_demo: WARNING: {warning}", file=sys.stderr)
    if note := _note(tried, chosen, given):
        print(f"resnet_demo: {note}", file=sys.stderr)
    told = [{"normalization": t.name, "residual": t.config.residual, "accuracy": t.accuracy} for t in tried]
    fits = chosen.name if chosen else None
    if parsed.json:
        about: dict[str, Any] = {
            "folder": str(parsed.out),
            "architecture": config.name,
            "shortcut": config.shortcut,
            "classes": config.classes,
        }
        about |= {"normalization": fits, "mean": mean, "std": std, "test_accuracy": accuracy}
        print(json.dumps(about | {"tried": told, "warnings": warnings}))
        return 0
    print(f"{parsed.out}: {config.name}, option {config.shortcut}, {config.classes} classes.")
    for trial in sorted(tried, key=lambda trial: -trial.accuracy):
        kind = "residual" if trial.config.residual else "plain"
        taken = " (taken)" if trial is chosen else ""
        print(f"  {trial.accuracy:6.1%} of {fitting.PICTURES:,} training images right: {kind}, {trial.name}{taken}")
    if accuracy is not None:
        print(f"{accuracy:.1%} of the 1,000 bundled test images right.")
    return 0


def _chosen(tried: Sequence[Trial], given: object) -> Trial | None:
    """The best way, among those with the given normalization where one was given."""
    allowed = [trial for trial in tried if given is None or (trial.mean, trial.std) == given]
    return max(allowed, key=lambda trial: trial.accuracy, default=None)


def _warnings(tried: Sequence[Trial], chosen: Trial | None, config: ModelConfig, given: object) -> list[str]:
    if chosen is None:
        which = "as given" if given else "ImageNet's, untested"
        return [
            f"The normalization is {which}: the bundled images cannot test a network of {config.classes} classes on "
            f"{'32' if config.design == 'cifar' else '224'}-pixel pictures. Measure it with `evaluate` on a folder of its own classes."
        ]
    best = max(tried, key=lambda trial: trial.accuracy)
    if best.accuracy < NEAR_CHANCE / config.classes:
        return [
            f"With every normalization that was tried the model is near chance ({best.accuracy:.1%} at best): its classes may be in "
            "another order than CIFAR-10's, its channels swapped, or its normalization unusual (give --mean and --std). Do not rely on it."
        ]
    if best.accuracy > chosen.accuracy + CLEARLY:
        return [
            f"With the given mean and std {chosen.accuracy:.1%} are right; with {best.name} ({best.mean}, {best.std}) "
            f"{best.accuracy:.1%}: the given ones seem wrong."
        ]
    return []


def _note(tried: Sequence[Trial], chosen: Trial | None, given: object) -> str:
    """A sentence on the normalizations that fit as well as the one taken, within the noise."""
    if chosen is None or given is not None or chosen.accuracy < NEAR_CHANCE / chosen.config.classes:
        return ""
    near = [trial.name for trial in tried if trial is not chosen and trial.accuracy > chosen.accuracy - NOISE]
    if not near:
        return ""
    return (
        f"1,000 images cannot tell {chosen.name} from {' or '.join(near)}: if you know which was used, give --mean and --std."
    )


def _write(
    parsed: argparse.Namespace,
    state: dict[str, Any],
    config: ModelConfig,
    classes: tuple[str, ...],
    mean: Any,
    std: Any,
    accuracy: float | None,
) -> None:
    from resnet_demo.data.preprocessing import Preprocessing
    from resnet_demo.zoo import folder

    size, resize = (32, 32) if config.design == "cifar" else (224, 256)
    content = folder.ModelFolder(
        architecture=config,
        classes=classes,
        preprocessing=Preprocessing(image_size=size, resize=resize, mean=mean, std=std),
    )
    from resnet_demo.zoo.foreign import network
    from resnet_demo.zoo.forward_check import check_answers

    model = network(config, state, str(parsed.checkpoint))
    check_answers(str(parsed.checkpoint), model, content.preprocessing)
    measured = (
        "" if accuracy is None else f"\n{accuracy:.1%} of the 1,000 bundled CIFAR-10 test images were right at the import.\n"
    )
    card = f"# {parsed.out.name}\n\n{config.name}, imported from {parsed.checkpoint.name} by ResNet Lab.\n{measured}"
    folder.write(parsed.out, content, model.state_dict(), card)


def _classes(file: Path | None, count: int) -> tuple[str, ...]:
    if file is not None:
        from resnet_demo.config import check_class_name

        try:
            names = tuple(check_class_name(line.strip()) for line in file.read_text().split("\n") if line.strip())
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"--classes {file} cannot be read: {error}") from error
        except SettingError as error:
            raise SettingError(f"--classes {file}: {error}.") from error
        if len(names) != count:
            raise SettingError(f"--classes {file} names {len(names)} classes; the checkpoint has {count}.")
        return names
    from resnet_demo.data.dataset import CIFAR10_CLASSES
    from resnet_demo.zoo.timm import imagenet_classes

    if count == len(CIFAR10_CLASSES):
        return CIFAR10_CLASSES
    return imagenet_classes() if count == 1000 else tuple(f"class {number}" for number in range(count))
