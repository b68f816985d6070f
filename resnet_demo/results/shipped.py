"""What this project measured of CIFAR-10: the models that ship, their test errors, and the curves of their training.

Everything is read from weights/<model>/: the error from config.json, what differs from the paper's training from the
card, the curves from record.jsonl. A new folder appears by itself. No torch here.
"""

from __future__ import annotations

import logging
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from resnet_demo.config import ModelConfig
from resnet_demo.errors import SettingError
from resnet_demo.files import read_text
from resnet_demo.paper.responses import RESPONSES, Responses
from resnet_demo.parsing import Frozen, parse
from resnet_demo.results.card import differences_on
from resnet_demo.training.events import Event, Measured, Resized, RunStarted, TrainingPoint, from_line
from resnet_demo.training.record import drop_repeated_steps
from resnet_demo.zoo.catalogue import SHIPPED, available

POINTS = 120
"""The most points of a training curve that the page draws."""

log = logging.getLogger(__name__)

Curve = tuple[tuple[int, float], ...]
"""Steps, and errors in percent."""


@dataclass(frozen=True)
class Curves:
    """The errors of a network while it trained.

    Args:
        training: on the augmented training batches, means over neighbouring points.
        test: on the test images, where the run measured them.
        steps_per_epoch: steps of one pass over the training images.
        full_size_from: the first step with training images of full size; 0 where all were.
    """

    training: Curve
    test: Curve
    steps_per_epoch: int
    full_size_from: int


@dataclass(frozen=True)
class ShippedModel:
    """A model for CIFAR-10 that ships.

    Args:
        name: of its folder in weights/.
        config: its network.
        test_error: in percent, on the 10,000 test images.
        differences: from the training of section 4.2; empty where its card does not say.
        curves: of its training; None where no record ships, or one that measured the test images less than twice.
        responses: the standard deviation of each layer's response, first to last (Figure 7); empty where it was not computed.
    """

    name: str
    config: ModelConfig
    test_error: float
    differences: str
    curves: Curves | None
    responses: tuple[float, ...] = ()


class _Folder(Frozen, extra="ignore"):
    """The part of config.json that is not in the catalogue."""

    architecture: ModelConfig


def shipped_models() -> tuple[ShippedModel, ...]:
    """The models for CIFAR-10 with a measured error, plain ones first, by depth."""
    models = [
        _read(SHIPPED / entry.name, entry.test_accuracy)
        for entry in available()
        if entry.test_accuracy is not None and entry.trained_on == "CIFAR-10" and (SHIPPED / entry.name).is_dir()
    ]
    return tuple(sorted(models, key=lambda model: (model.config.residual, model.config.depth, model.name)))


def _read(folder: Path, accuracy: float) -> ShippedModel:
    architecture = _Folder.model_validate_json(read_text(folder / "config.json")).architecture
    return ShippedModel(
        folder.name, architecture, round(100 * (1 - accuracy), 2), differences_on(_text(folder / "README.md")),
        curves(_text(folder / "record.jsonl")), _responses(folder / RESPONSES),
    )  # fmt: skip


def _responses(path: Path) -> tuple[float, ...]:
    if not path.is_file():
        return ()
    try:
        return parse(Responses, _text(path)).deviations
    except SettingError as error:
        log.warning("%s is damaged: %s", path, error)
        return ()


def _text(path: Path) -> str:
    if not path.is_file():
        return ""
    try:
        return read_text(path)
    except (OSError, UnicodeDecodeError) as error:
        log.warning("%s cannot be read: %s", path, error)
        return ""


def curves(record: str) -> Curves | None:
    """The curves of a network from the lines of its record; None where they hold fewer than two measurements."""
    history = drop_repeated_steps(_events(record))
    training = [event for event in history if isinstance(event, TrainingPoint)]
    test = [event for event in history if isinstance(event, Measured) and event.split == "test"]
    starts = [event for event in history if isinstance(event, RunStarted)]
    sizes = [event for event in history if isinstance(event, Resized)]
    if len(test) < 2 or not training or not starts:
        return None
    return Curves(
        training=tuple(_means(training)), test=tuple((event.step, round(100 * event.error, 2)) for event in test),
        steps_per_epoch=starts[0].steps_per_epoch, full_size_from=max((event.step for event in sizes), default=0),
    )  # fmt: skip


def _events(record: str) -> Iterator[Event]:
    """The events up to the first line that is none."""
    for line in record.splitlines():
        try:
            yield from_line(line)
        except ValueError as error:
            log.warning("A record that ships has a line that is no event: %s", error)
            return


def _means(points: Sequence[TrainingPoint]) -> Iterator[tuple[int, float]]:
    """At most POINTS points, each the mean of equally many neighbours, at the last of their steps."""
    width = -(-len(points) // POINTS)
    for start in range(0, len(points), width):
        part = points[start : start + width]
        yield part[-1].step, round(100 * statistics.fmean(point.error for point in part), 2)
