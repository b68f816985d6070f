"""`import`: another project's checkpoint becomes a model folder of ours, with the normalization that fits."""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnet_demo.errors import DataError, SettingError, WeightsError

if TYPE_CHECKING:
    from resnet_demo.config import ModelConfig
    from resnet_demo.evaluation.fitting import Normalization, Trial
    from resnet_demo.zoo.foreign import Reading

CLEARLY = 0.05
"""A reading of the checkpoint whose accuracy is this much higher than that of the chosen one causes a warning."""


def add(to: Any) -> None:
    """Add the command to the subparsers `to`."""
    command = to.add_parser("import", help="make a model folder of another project's checkpoint", description=run.__doc__)
    command.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="a .pt, .pth, .th or .safetensors file")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="the model folder to write")
    for name in ("mean", "std"):
        command.add_argument(
            f"--{name}", type=float, nargs=3, metavar=("R", "G", "B"), help=f"{name} of the pixels, for values from 0 to 1"
        )
    command.add_argument("--plain", action="store_true", help="it is a plain network: no shortcuts")
    command.add_argument(
        "--zeros",
        choices=("last", "around"),
        help="where its option A shortcuts put the zeros: after the old channels, or half before and half after (default: "
        "whichever gets more of CIFAR-10 right; last where the bundled images cannot tell)",
    )
    command.add_argument("--classes", type=Path, metavar="FILE", help="the names of the classes, one a line, in order")
    command.add_argument("--force", action="store_true", help="import it even if it is wrong on more than half of CIFAR-10")
    command.add_argument("--json", action="store_true", help="print one JSON value")
    command.set_defaults(command=run)


@dataclass(frozen=True)
class Import:
    """How a checkpoint is read, and how good it is.

    Args:
        checkpoint: the file.
        reading: the network and its weights.
        normalization: mean and deviation of the pixels.
        classes: the names of the classes.
        trials: every measured combination of network and normalization; empty if the bundled images cannot test it.
        choice: the trial that is imported.
        accuracy: its accuracy on the bundled test images.
    """

    checkpoint: Path
    reading: Reading
    normalization: Normalization
    classes: tuple[str, ...]
    trials: Sequence[Trial] = ()
    choice: Trial | None = None
    accuracy: float | None = None


def run(parsed: argparse.Namespace) -> int:
    """Read a checkpoint, recognise its network from names and shapes, and find the normalization it was trained with.

    For a CIFAR network of CIFAR-10's classes the common normalizations, and the two ways to pad shortcuts with zeros, are
    tried on 1,000 bundled training images; the test images only measure the one that was taken. What is right on less
    than half of them is not imported.
    """
    normalization = _normalization(parsed)
    from resnet_demo.data.preprocessing import Preprocessing
    from resnet_demo.parsing import parse
    from resnet_demo.zoo import folder

    if (parsed.out / folder.CONFIG).exists():
        raise WeightsError(f"{parsed.out} holds a model already: name another folder.")
    if normalization is not None:  # rejects invalid values before it measures anything
        parse(Preprocessing, {"mean": parsed.mean, "std": parsed.std})
    result = _read(parsed, normalization)
    doubt = _doubt(result)
    if doubt and not parsed.force:
        raise WeightsError(f"{parsed.checkpoint} is not imported. {doubt} --force imports it all the same.")
    warnings = [sentence for sentence in (doubt, _warning(result, normalization, parsed.zeros)) if sentence][:1]
    _write(parsed.out, result)
    for warning in warnings:
        print(f"resnet_demo: WARNING: {warning}", file=sys.stderr)
    note = _note(result) if not doubt and normalization is None else ""
    if note:
        print(f"resnet_demo: {note}", file=sys.stderr)
    if parsed.json:
        print(json.dumps(_values(parsed.out, result) | {"warnings": warnings}))
    else:
        _print(parsed.out, result)
    return 0


def _normalization(parsed: argparse.Namespace) -> Normalization | None:
    if (parsed.mean is None) != (parsed.std is None):
        raise SettingError("--mean and --std belong together: give both, or neither to have the common ones tried.")
    if parsed.mean is None:
        return None
    if not all(math.isfinite(value) for value in parsed.mean):
        raise SettingError(f"--mean must be three finite numbers (given: {parsed.mean}).")
    if not all(math.isfinite(value) and value > 0 for value in parsed.std):
        raise SettingError(f"--std must be three numbers above 0 (given: {parsed.std}).")
    return tuple(parsed.mean), tuple(parsed.std)


def _read(parsed: argparse.Namespace, normalization: Normalization | None) -> Import:
    from resnet_demo.evaluation import fitting
    from resnet_demo.zoo import foreign

    path, origin = parsed.checkpoint, str(parsed.checkpoint)
    state = foreign.read(path)
    config = foreign.recognise(state)
    classes = _classes(parsed.classes, config.classes)
    if parsed.plain:
        config = config.model_copy(update={"residual": False})
    foreign.network(config, state, origin)  # strict: rejects a checkpoint that does not fit before it measures anything
    readings = foreign.readings(config, state)
    allowed = [reading for reading in readings if parsed.zeros in {None, reading.zeros}]
    if not allowed:
        raise SettingError(f"--zeros {parsed.zeros} does not fit {origin}, a {config.name} with option {config.shortcut}.")
    if not fitting.can_try(config, classes):
        return Import(path, allowed[0], normalization or fitting.NORMALIZATIONS["ImageNet's mean and deviation"], classes)
    trials = list(fitting.trials(readings, classes, origin, normalization))
    matches = [trial for trial in trials if trial.reading in allowed and normalization in {None, (trial.mean, trial.std)}]
    choice = max(matches, key=lambda trial: trial.accuracy)
    accuracy = fitting.test_accuracy(choice, classes, origin)
    return Import(path, choice.reading, (choice.mean, choice.std), classes, trials, choice, accuracy)


def _doubt(result: Import) -> str:
    """Why a measured checkpoint is not usable; empty if it works."""
    from resnet_demo.evaluation.fitting import WORKS

    if result.accuracy is None or result.accuracy >= WORKS:
        return ""
    way = f" with {result.choice.name}" if result.choice else ""
    return (
        f"Read as {result.reading.kind}{way}, it is right on only {result.accuracy:.1%} of the 1,000 bundled CIFAR-10 test images. "
    ) + (
        _better(result)
        or "No other way that was tried does much better: its classes may be in another order or not CIFAR-10's (give --classes), "
        "its normalization unusual (give --mean and --std), its colour channels swapped, or its training too short."
    )


def _better(result: Import) -> str:
    """A sentence on a reading of the checkpoint that is clearly better than the chosen one; empty if there is none."""
    best = max(result.trials, key=lambda trial: trial.accuracy, default=None)
    if best is None or result.choice is None or best.accuracy <= result.choice.accuracy + CLEARLY:
        return ""
    return (
        f"With the given settings {result.choice.accuracy:.1%} of the training images are right; as {best.reading.kind} with "
        f"{best.name} ({best.mean}, {best.std}) {best.accuracy:.1%}: the given ones seem wrong."
    )


def _warning(result: Import, normalization: Normalization | None, zeros: str | None) -> str:
    if result.choice is not None:
        return _better(result)
    config = result.reading.config
    source = "as given" if normalization else "ImageNet's, untested"
    sentence = (
        f"The normalization is {source}: the bundled images cannot "
        f"test a network of these {config.classes} classes on {_sides(config)[0]}-pixel pictures. "
        "Measure it with `evaluate` on a folder of its own classes."
    )
    if config.design == "cifar" and result.reading.zeros and zeros is None:
        sentence += (
            " Nor can they tell what its shortcuts do: they are read as adding zeros after the old channels; give --zeros around if "
            "half of the zeros come before them (as in akamaster/pytorch_resnet_cifar10), or --plain if there are no shortcuts."
        )
    return sentence


def _note(result: Import) -> str:
    """A sentence on the normalizations that fit as well as the chosen one; empty if there are none."""
    from resnet_demo.evaluation import fitting

    if result.choice is None or not (near := fitting.rivals(result.trials, result.choice)):
        return ""
    which = f"{result.choice.name} from {' or '.join(near)}"
    return f"{fitting.PICTURES:,} images cannot tell {which}: if you know which was used, give --mean and --std."


def _values(out: Path, result: Import) -> dict[str, Any]:
    config, (mean, std) = result.reading.config, result.normalization
    return {
        "folder": str(out),
        "architecture": config.name,
        "shortcut": config.shortcut,
        "zeros": result.reading.zeros,
        "classes": config.classes,
        "normalization": result.choice.name if result.choice else None,
        "mean": mean,
        "std": std,
        "test_accuracy": result.accuracy,
        "tried": [
            {
                "normalization": trial.name,
                "residual": trial.reading.config.residual,
                "zeros": trial.reading.zeros,
                "accuracy": trial.accuracy,
            }
            for trial in result.trials
        ],
    }


def _print(out: Path, result: Import) -> None:
    from resnet_demo.evaluation.fitting import PICTURES

    config = result.reading.config
    print(f"{out}: {config.name}, option {config.shortcut}, {config.classes} classes.")
    for trial in sorted(result.trials, key=lambda trial: -trial.accuracy):
        mark = " (taken)" if trial is result.choice else ""
        print(f"  {trial.accuracy:6.1%} of {PICTURES:,} training images right: {trial.reading.kind}, {trial.name}{mark}")
    if result.accuracy is not None:
        print(f"{result.accuracy:.1%} of the 1,000 bundled test images right.")


def _sides(config: ModelConfig) -> tuple[int, int]:
    """The side of a network's input in pixels, and the side to which pictures are resized before the crop."""
    return (32, 32) if config.design == "cifar" else (224, 256)


def _write(out: Path, result: Import) -> None:
    from resnet_demo.data.preprocessing import Preprocessing
    from resnet_demo.zoo import folder
    from resnet_demo.zoo.foreign import network
    from resnet_demo.zoo.forward_check import check_answers

    config, (mean, std) = result.reading.config, result.normalization
    size, resize = _sides(config)
    content = folder.ModelFolder(
        architecture=config,
        classes=result.classes,
        preprocessing=Preprocessing(image_size=size, resize=resize, mean=mean, std=std),
    )
    card = f"# {out.name}\n\n{config.name}, imported from {result.checkpoint.name} by ResNet Lab.\n"
    if result.reading.zeros == "around":
        card += (
            "\nIts shortcuts put half of the zeros for new channels before the old channels. Here all of them come after: the "
            "channels of the second and third stage are in another order, and the network computes the same.\n"
        )
    if result.accuracy is not None:
        card += f"\n{result.accuracy:.1%} of the 1,000 bundled CIFAR-10 test images were right at the import.\n"
    model = network(config, result.reading.state, str(result.checkpoint))
    check_answers(str(result.checkpoint), model, content.preprocessing)
    folder.write(out, content, model.state_dict(), card)


def _classes(file: Path | None, count: int) -> tuple[str, ...]:
    if file is not None:
        from resnet_demo.parsing import check_class_name

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
