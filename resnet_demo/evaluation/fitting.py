"""Find out which network a foreign checkpoint is, and its normalization: try the common ones and measure.

A checkpoint records neither its normalization nor how its shortcuts pad. Read in a wrong way, it loads and gives wrong
answers. Training images decide, so that the accuracy on the test images stays a fair measurement.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch

from resnet_demo.config import ModelConfig
from resnet_demo.data.cifar10 import BUNDLED_FILES
from resnet_demo.data.dataset import CIFAR10_CLASSES, RGB, ImageSet, read_cifar10
from resnet_demo.evaluation import predictions
from resnet_demo.model.resnet import ResNet
from resnet_demo.zoo.foreign import Reading, network

Normalization = tuple[RGB, RGB]

NORMALIZATIONS: dict[str, Normalization] = {
    "CIFAR-10's mean and deviation": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "CIFAR-10's mean and the mean deviation within pictures": ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
    "ImageNet's mean and deviation": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "values from -1 to 1": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "values from 0 to 1": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "CIFAR-10's mean only": ((0.4914, 0.4822, 0.4465), (1.0, 1.0, 1.0)),
    "values from 0 to 255": ((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255)),
}

PICTURES = 1000
"""The number of bundled training images that decide; their order is CIFAR-10's, which mixes the classes."""
WORKS = 0.5
"""The least accuracy of a checkpoint that is read correctly; below it, the reading is wrong or the network untrained."""
NOISE = 0.01
"""Accuracies on 1,000 images that differ by less may differ by chance."""


@dataclass(frozen=True)
class Trial:
    """One way to read a checkpoint, and its accuracy on the `PICTURES` training images."""

    name: str
    mean: RGB
    std: RGB
    reading: Reading
    accuracy: float


def can_try(config: ModelConfig, classes: Sequence[str]) -> bool:
    """Whether the bundled images can decide: for a CIFAR network with CIFAR-10's classes, in any order."""
    return config.design == "cifar" and sorted(classes) == sorted(CIFAR10_CLASSES)


def trials(
    readings: Sequence[Reading], classes: Sequence[str], origin: str, normalization: Normalization | None = None
) -> Iterator[Trial]:
    """Measure a checkpoint in each of its readings; the normalization of the caller, if any, first.

    A plain network is tried only where the checkpoint does not work as a residual one.

    Args:
        readings: the networks that the checkpoint may be.
        classes: the names of its classes, in its order; `can_try` is true of them.
        origin: the checkpoint, for messages.
        normalization: one to try beside the common ones.
    """
    pictures = _pictures("train", classes)[:PICTURES]
    ways = {"the given mean and deviation": normalization} if normalization else {}
    best = 0.0
    for reading in readings:
        if best > WORKS and not reading.config.residual:
            return
        model = network(reading.config, reading.state, origin)
        for name, (mean, std) in (ways | NORMALIZATIONS).items():
            accuracy = _accuracy(model, pictures, mean, std)
            best = max(best, accuracy)
            yield Trial(name, mean, std, reading, accuracy)


def test_accuracy(choice: Trial, classes: Sequence[str], origin: str) -> float:
    """The accuracy of the checkpoint, in this reading, on the 1,000 bundled test images."""
    model = network(choice.reading.config, choice.reading.state, origin)
    return _accuracy(model, _pictures("test", classes), choice.mean, choice.std)


def rivals(results: Sequence[Trial], choice: Trial) -> list[str]:
    """The other normalizations whose accuracy is within the noise of the choice's."""
    return [
        trial.name
        for trial in results
        if trial is not choice and trial.reading is choice.reading and trial.accuracy > choice.accuracy - NOISE
    ]


def _pictures(part: str, classes: Sequence[str]) -> ImageSet:
    """A bundled part of CIFAR-10, labelled as a network with these classes numbers them."""
    pictures = read_cifar10(BUNDLED_FILES[part])
    return ImageSet(pictures.images, torch.tensor([classes.index(name) for name in CIFAR10_CLASSES])[pictures.labels])


def _accuracy(model: ResNet, pictures: ImageSet, mean: RGB, std: RGB) -> float:
    return 1 - predictions.loss_and_error(predictions.logits(model, pictures, mean, std), pictures.labels)[1]
