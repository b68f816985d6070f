"""What a model's answers are worth, counted: accuracy, and precision, recall and F1 as macro averages.

The macro average of a figure is its mean over the classes, each class counting the same. A figure that would
divide by zero (a class that was never answered, or of which there is no picture) is 0, as in scikit-learn.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Scores:
    """How right a model's answers are; fractions of 1.

    Args:
        images: number of pictures.
        accuracy: share of right answers.
        precision: of the answers that name a class, the share that are right; mean over the classes.
        recall: of a class's pictures, the share that were found; mean over the classes.
        f1: 2 · precision · recall / (precision + recall) of each class; mean over the classes.
        confusion: pictures of class i (row) that were taken for class j (column).
    """

    images: int
    accuracy: float
    precision: float
    recall: float
    f1: float
    confusion: tuple[tuple[int, ...], ...]


def scores(predicted: Tensor, labels: Tensor, classes: int) -> Scores:
    """Count the answers.

    Args:
        predicted: the class that was answered, (N,) int64.
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
