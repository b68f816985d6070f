"""Measure a model on a data set: its answer to every picture, and the scores of the answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from resnet_demo.data.dataset import ImageSet
from resnet_demo.evaluation import predictions, testset
from resnet_demo.evaluation.metrics import Scores, scores
from resnet_demo.zoo.folder import Weights


@dataclass(frozen=True)
class Measurement:
    """A model's answers to a whole set of pictures.

    Args:
        data: name of the data.
        scores: accuracy, precision, recall, F1 and confusion matrix.
        logits: the answers, (N, classes) float32, on the CPU.
        labels: the right classes, in the model's numbering, (N,) int64, on the CPU.
    """

    data: str
    scores: Scores
    logits: Tensor
    labels: Tensor


def measure(
    weights: Weights, pictures: testset.TestSet, *, on_progress: Callable[[int, int], object] | None = None
) -> Measurement:
    """Run the model on every picture, with the model's own preprocessing, in float32.

    Args:
        weights: the model, on any device.
        pictures: the data.
        on_progress: called with (done, total) pictures.

    Raises:
        DataError: the model's classes are not those of the data, or a file is not a picture.
    """
    labels = testset.in_order_of(weights.classes, pictures, weights.name)
    device = next(weights.model.parameters()).device
    preprocessing, answers, done = weights.preprocessing, [], 0
    for images in pictures.batches(preprocessing):
        part = ImageSet(images, labels[done : done + len(images)]).to(device)
        answers.append(predictions.logits(weights.model, part, preprocessing.mean, preprocessing.std).cpu())
        done += len(images)
        if on_progress is not None:
            on_progress(done, len(labels))
    logits = torch.cat(answers)
    return Measurement(pictures.name, scores(logits.argmax(1), labels, len(weights.classes)), logits, labels)
