"""Run a model over a whole set of pictures."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet_demo.data.augment import normalize, resize
from resnet_demo.data.dataset import Dataset, ImageSet


def logits(
    model: nn.Module, pictures: ImageSet, mean: tuple[float, ...], std: tuple[float, ...], *,
    batch: int = 500, autocast: AbstractContextManager[object] | None = None, side: int | None = None,
) -> Tensor:  # fmt: skip
    """The model's answer to each picture, resized to `side` pixels unless that is None: (N, classes) float32, on their device.

    The model runs in evaluation mode; its previous mode is restored.
    """
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad(), autocast or nullcontext():
            inputs = (normalize(part, mean, std) for part in pictures.images.split(batch))
            parts = [model(resize(part, side or part.shape[-1])).float() for part in inputs]
    finally:
        model.train(was_training)
    return torch.cat(parts)


def measure_error(
    model: nn.Module, /, *, data: Dataset, autocast: Callable[[], AbstractContextManager[object]], side: int | None = None
) -> tuple[float, float]:
    """Loss and error of a model on the test pictures of `data`, resized to `side` pixels unless that is None.

    `autocast` returns a context for the forward passes.
    """
    answers = logits(model, data.test, data.mean, data.std, autocast=autocast(), side=side)
    return loss_and_error(answers, data.test.labels)


def loss_and_error(answers: Tensor, labels: Tensor) -> tuple[float, float]:
    """Mean cross-entropy (in nats) and the share of wrong answers."""
    return float(F.cross_entropy(answers, labels)), float((answers.argmax(1) != labels).float().mean())
