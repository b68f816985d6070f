"""Which normalization, and which switch, a foreign checkpoint was trained with: try the common ones and measure.

A checkpoint does not say what was done to the pictures. With a wrong normalization it loads, answers, and is wrong.
The choice is made on training images, so that the test images can still tell how good the chosen one is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from torch import Tensor

from resnet_demo.config import ModelConfig
from resnet_demo.data.dataset import BUNDLED, CIFAR10_CLASSES, RGB, ImageSet, read_cifar10
from resnet_demo.evaluation import predictions
from resnet_demo.model.resnet import ResNet
from resnet_demo.zoo.foreign import network

NORMALIZATIONS: dict[str, tuple[RGB, RGB]] = {
    "CIFAR-10's mean and deviation": ((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)),
    "CIFAR-10's mean and the mean deviation within pictures": ((0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)),
    "ImageNet's mean and deviation": ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    "values from -1 to 1": ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5)),
    "values from 0 to 1": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
    "CIFAR-10's mean only": ((0.4914, 0.4822, 0.4465), (1.0, 1.0, 1.0)),
    "values from 0 to 255": ((0.0, 0.0, 0.0), (1 / 255, 1 / 255, 1 / 255)),
}

PICTURES = 1000
"""So many of the bundled training images decide; they lie in CIFAR-10's own order, which mixes the classes."""
WORKS = 0.5
"""Share of right answers that a network read in a wrong way does not reach."""


@dataclass(frozen=True)
class Trial:
    """One way to read a checkpoint, and the share of the `PICTURES` training images that it then gets right."""

    name: str
    mean: RGB
    std: RGB
    config: ModelConfig
    accuracy: float


def can_try(config: ModelConfig) -> bool:
    """Whether the bundled images can tell: a CIFAR network of ten classes (taken in CIFAR-10's usual order)."""
    return config.design == "cifar" and config.classes == len(CIFAR10_CLASSES)


def trials(
    state: Mapping[str, Tensor], config: ModelConfig, origin: str, given: tuple[RGB, RGB] | None = None
) -> Iterator[Trial]:
    """Measure the checkpoint in each way that its names and shapes allow; the given normalization, if any, first.

    Names and shapes do not tell a plain network from a residual one with option A: where the checkpoint does not
    work well as a residual network, it is tried as a plain one too.
    """
    pictures = read_cifar10(BUNDLED / "train.parquet")[:PICTURES]
    ways = {"the given mean and deviation": given} if given else {}
    best = 0.0
    plain = [config.model_copy(update={"residual": False})] if config.residual and config.shortcut == "A" else []
    for candidate in (config, *plain):
        if best > WORKS:
            return
        model = network(candidate, state, origin)
        for name, (mean, std) in (ways | NORMALIZATIONS).items():
            accuracy = _accuracy(model, pictures, mean, std)
            best = max(best, accuracy)
            yield Trial(name, mean, std, candidate, accuracy)


def test_accuracy(state: Mapping[str, Tensor], chosen: Trial, origin: str) -> float:
    """The share of the 1,000 bundled test images that the checkpoint, read in the chosen way, gets right."""
    pictures = read_cifar10(BUNDLED / "test.parquet")
    return _accuracy(network(chosen.config, state, origin), pictures, chosen.mean, chosen.std)


def _accuracy(model: ResNet, pictures: ImageSet, mean: RGB, std: RGB) -> float:
    return 1 - predictions.loss_and_error(predictions.logits(model, pictures, mean, std), pictures.labels)[1]
