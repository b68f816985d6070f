"""What a measurement keeps of a model's answers: enough for every score, and for the pictures behind a score. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy
from numpy.typing import NDArray

from resnet_demo.config import ModelConfig
from resnet_demo.evaluation.calibration import Bin, expected_calibration_error, reliability
from resnet_demo.evaluation.metrics import Scores, scores
from resnet_demo.parsing import ClassName, Frozen, parse

TOP = 5
TOP_5_FROM = 20
"""The number of classes from which top-5 accuracy is shown: five answers are then at most a quarter of the classes."""

COLUMNS: dict[str, type[numpy.generic]] = {
    "labels": numpy.int32, "predicted": numpy.int32, "confidence": numpy.float32, "right": numpy.float32, "in_top": numpy.bool_,
}  # fmt: skip


class About(Frozen):
    """What was measured, and how."""

    data: str
    split: str
    view: str
    device: str
    architecture: ModelConfig
    classes: tuple[ClassName, ...]


@dataclass(frozen=True, eq=False)
class Measurement:
    """A model's answers to a whole set of pictures, in their order.

    Args:
        about: what was measured, and how.
        labels: the right classes, in the model's numbering, (N,) int32.
        predicted: the classes that the model names, (N,) int32.
        confidence: the share of the softmax of these, (N,) float32.
        right: the share of the softmax of the right classes, (N,) float32.
        in_top: whether the right class is among the five likeliest, (N,) bool.
    """

    about: About
    labels: NDArray[numpy.int32]
    predicted: NDArray[numpy.int32]
    confidence: NDArray[numpy.float32]
    right: NDArray[numpy.float32]
    in_top: NDArray[numpy.bool_]

    @property
    def data(self) -> str:
        """The name of the data."""
        return self.about.data

    @property
    def hits(self) -> NDArray[numpy.bool_]:
        """Whether each answer is right."""
        return numpy.equal(self.labels, self.predicted)

    @cached_property
    def present(self) -> list[int]:
        """The classes that have pictures, over which the macro averages are taken; the model may have others."""
        return sorted(set(self.labels.tolist()))

    @cached_property
    def scores(self) -> Scores:
        """Accuracy, precision, recall, F1 and confusion matrix."""
        return scores(self.predicted, self.labels, len(self.about.classes), self.present)

    @property
    def top_5(self) -> float | None:
        """The share of pictures whose class is among the five likeliest; None below `TOP_5_FROM` classes."""
        return float(self.in_top.mean()) if len(self.about.classes) >= TOP_5_FROM else None

    @cached_property
    def bins(self) -> tuple[Bin, ...]:
        """The bins of the reliability diagram."""
        return reliability(self.confidence, self.hits)

    @property
    def ece(self) -> float:
        """The expected calibration error."""
        return expected_calibration_error(self.bins)


def columns(measurement: Measurement) -> dict[str, NDArray[Any]]:
    """The arrays of a measurement by name."""
    return {name: getattr(measurement, name) for name in COLUMNS}


def from_columns(about: str, arrays: Mapping[str, NDArray[Any]]) -> Measurement:
    """The measurement with these arrays and this `About` as JSON.

    Raises:
        ValueError: an array is missing, or does not fit the others.
    """
    content = parse(About, about)
    if set(arrays) != set(COLUMNS):
        raise ValueError("a measurement needs other arrays")
    count = len(arrays["labels"])
    for name, kind in COLUMNS.items():
        if arrays[name].dtype != kind or arrays[name].shape != (count,):
            raise ValueError(f"{name} does not fit")
    numbers = numpy.concatenate([arrays["labels"], arrays["predicted"]])
    if count == 0 or numbers.min() < 0 or numbers.max() >= len(content.classes):
        raise ValueError("no pictures, or a class that the model does not have")
    return Measurement(content, **arrays)
