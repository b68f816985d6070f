"""Scores of a model's answers: accuracy, and precision, recall and F1 as macro averages.

A macro average is the mean over the classes, with equal weights. A score that would divide by zero (of a class
without answers or without pictures) is 0, as in scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


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
    """

    images: int
    accuracy: float
    precision: float
    recall: float
    f1: float
    confusion: tuple[tuple[int, ...], ...]


def scores(predicted: Tensor, labels: Tensor, classes: int) -> Scores:
    """The scores of a list of answers.

    Args:
        predicted: the class of each answer, (N,) int64.
        labels: the right class, (N,) int64.
        classes: number of classes; all predictions and labels are below it.

    Raises:
        ValueError: there is no picture.
    """
    if len(labels) == 0:
        raise ValueError("scores of no pictures")
    confusion = torch.bincount(labels.cpu() * classes + predicted.cpu(), minlength=classes**2).view(classes, classes)
    right, answered, there = confusion.diag().double(), confusion.sum(0).double(), confusion.sum(1).double()
    return Scores(
        images=len(labels),
        accuracy=float(right.sum() / len(labels)),
        precision=float(_share(right, answered).mean()),
        recall=float(_share(right, there).mean()),
        f1=float(_share(2 * right, answered + there).mean()),
        confusion=tuple(tuple(row) for row in confusion.tolist()),
    )


def _share(part: Tensor, whole: Tensor) -> Tensor:
    return torch.where(whole > 0, part / whole.clamp(min=1), 0.0)
