"""Calibration: whether a model that says 80 % is right 80 times of 100 (Guo et al. 2017, arXiv 1706.04599). No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import ArrayLike

BINS = 15
"""Of equal width, as in the paper of Guo et al."""


@dataclass(frozen=True)
class Bin:
    """The answers whose confidence, the share of the softmax of the class that they name, is in (low, high].

    Args:
        low: lower end.
        high: upper end.
        images: number of answers.
        confidence: their mean confidence; 0 where there is none.
        accuracy: the share that are right; 0 where there is none.
    """

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float


def reliability(confidence: ArrayLike, right: ArrayLike, bins: int = BINS) -> tuple[Bin, ...]:
    """The bins of a reliability diagram.

    Args:
        confidence: of each answer, (N,) floats in 0..1.
        right: whether each answer is right, (N,) booleans.
        bins: their number.
    """
    values, hits = numpy.asarray(confidence, numpy.float64), numpy.asarray(right, numpy.float64)
    edges = numpy.linspace(0, 1, bins + 1)
    places = numpy.clip(numpy.searchsorted(edges, values, side="left") - 1, 0, bins - 1)
    counts = numpy.bincount(places, minlength=bins)
    means = (numpy.bincount(places, weights, bins) / numpy.maximum(counts, 1) for weights in (values, hits))
    columns = (edges[:-1], edges[1:], counts, *means)
    return tuple(Bin(*row) for row in zip(*(column.tolist() for column in columns), strict=True))


def expected_calibration_error(bins: Sequence[Bin]) -> float:
    """The mean distance between confidence and accuracy of the bins, weighted by their pictures; a fraction of 1."""
    total = sum(part.images for part in bins)
    return sum(part.images * abs(part.confidence - part.accuracy) for part in bins) / total
