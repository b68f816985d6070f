"""Scores of a model's answers: accuracy with its interval, and precision, recall and F1 by class and as macro averages.

A macro average is the mean over the classes, with equal weights. A score that would divide by zero (of a class
without answers or without pictures) is 0, as in scikit-learn. No torch here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import ArrayLike, NDArray

Z_95 = 1.959963984540054
"""The quantile of the normal distribution that leaves 2.5 % above it."""


@dataclass(frozen=True)
class ClassScores:
    """The scores of one class; fractions of 1, except `images`, the number of its pictures."""

    images: int
    precision: float
    recall: float
    f1: float


@dataclass(frozen=True)
class Scores:
    """The scores; fractions of 1.

    Args:
        images: number of pictures.
        accuracy: share of right answers.
        precision: of the answers that name a class, the share that are right; mean over the classes.
        recall: of a class's pictures, the share with the right answer; mean over the classes.
        f1: 2 · precision · recall / (precision + recall) of each class; mean over the classes.
        confusion: pictures of class i (row) that were classified as class j (column).
        per_class: the scores of each class.
    """

    images: int
    accuracy: float
    precision: float
    recall: float
    f1: float
    confusion: tuple[tuple[int, ...], ...]
    per_class: tuple[ClassScores, ...] = ()

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % interval of the accuracy (`wilson`)."""
        return wilson(round(self.accuracy * self.images), self.images)


def scores(predicted: ArrayLike, labels: ArrayLike, classes: int, averaged: Sequence[int] | None = None) -> Scores:
    """The scores of a list of answers.

    Args:
        predicted: the class of each answer, (N,) integers.
        labels: the right class, (N,) integers.
        classes: number of classes; all predictions and labels are below it.
        averaged: the classes over which the macro averages are taken; by default all of them.

    Raises:
        ValueError: there is no picture.
    """
    rows, columns = (numpy.asarray(values, numpy.int64) for values in (labels, predicted))
    if len(rows) == 0:
        raise ValueError("scores of no pictures")
    confusion = numpy.bincount(rows * classes + columns, minlength=classes**2).reshape(classes, classes)
    right, answers, pictures = confusion.diagonal(), confusion.sum(0), confusion.sum(1)
    by_class = numpy.stack([_share(right, answers), _share(right, pictures), _share(2 * right, answers + pictures)])
    precision, recall, f1 = by_class[:, list(range(classes) if averaged is None else averaged)].mean(1).tolist()
    return Scores(
        images=len(rows),
        accuracy=float(right.sum() / len(rows)),
        precision=precision,
        recall=recall,
        f1=f1,
        confusion=tuple(tuple(row) for row in confusion.tolist()),
        per_class=tuple(
            ClassScores(images, *of_class) for images, of_class in zip(pictures.tolist(), by_class.T.tolist(), strict=True)
        ),
    )


def wilson(right: int, total: int, z: float = Z_95) -> tuple[float, float]:
    """Wilson's score interval of a share (1927): with 95 % confidence, the accuracy on any number of such pictures is within.

    Unlike the plain normal interval it stays within 0 and 1, and it is not empty where all answers are right.
    """
    share, spread = right / total, z**2 / total
    centre = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / total + spread / (4 * total))
    return max(centre - half, 0.0), min(centre + half, 1.0)


def _share(part: NDArray[numpy.int64], whole: NDArray[numpy.int64]) -> NDArray[numpy.float64]:
    return numpy.where(whole > 0, part / numpy.maximum(whole, 1), 0.0)
