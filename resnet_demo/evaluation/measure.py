"""Measure a model on a data set: its answer to every picture."""

from __future__ import annotations

from collections.abc import Callable

import numpy
import torch
from torch import Tensor

from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.device import name_of
from resnet_demo.errors import ResNetDemoError
from resnet_demo.evaluation import testset
from resnet_demo.evaluation.forward import ready
from resnet_demo.evaluation.measurement import TOP, About, Measurement
from resnet_demo.zoo.folder import Weights


class EvaluationCancelled(ResNetDemoError):
    """The caller cancelled the evaluation."""


def measure(
    weights: Weights, pictures: testset.TestSet, *, exact: bool = False,
    on_progress: Callable[[int, int], object] | None = None, should_cancel: Callable[[], bool] = lambda: False,
) -> Measurement:  # fmt: skip
    """Run the model on every picture, with the model's own preprocessing (forward.py).

    Args:
        weights: the model, on any device.
        pictures: the data.
        exact: compute in fp32, whatever is faster.
        on_progress: called with (done, total) pictures.
        should_cancel: called before each batch.

    Raises:
        DataError: the model's classes are not those of the data, or a file is not a picture.
        EvaluationCancelled: `should_cancel` returned true.
    """
    labels = testset.in_order_of(weights.classes, pictures, weights.name)
    answers: list[Tensor] = []
    done = 0
    with ready(weights, exact=exact) as forward:
        for images in pictures.batches(weights.preprocessing):
            if should_cancel():
                raise EvaluationCancelled(f"The evaluation of {weights.name} was cancelled.")
            answers.append(forward(images))
            done += len(images)
            if on_progress is not None:
                on_progress(done, len(labels))
        precision = forward.precision
    about = About(
        data=pictures.name, split=pictures.split, view=_view(weights.preprocessing),
        device=f"{name_of(weights.model.device)}, {precision}",
        architecture=weights.model.config, classes=weights.classes,
    )  # fmt: skip
    return from_logits(about, torch.cat(answers), labels)


def from_logits(about: About, logits: Tensor, labels: Tensor) -> Measurement:
    """What a measurement keeps of the logits, (N, classes) float32, of pictures with these labels, (N,) int64."""
    shares = logits.softmax(1)
    confidence, predicted = shares.max(1)
    right = shares.gather(1, labels[:, None])
    ahead = (shares > right).sum(1)
    return Measurement(
        about,
        labels.numpy().astype(numpy.int32),
        predicted.numpy().astype(numpy.int32),
        confidence.numpy(),
        right[:, 0].numpy(),
        (ahead < TOP).numpy(),
    )


def _view(preprocessing: Preprocessing) -> str:
    """How a picture is cropped, for people."""
    side = preprocessing.image_size
    if side == preprocessing.resize:
        return f"one view of each picture, its central square at {side}×{side}"
    return f"one view of each picture: shorter side resized to {preprocessing.resize}, central {side}×{side}"
