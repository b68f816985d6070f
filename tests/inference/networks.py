"""Networks with fixed random weights, and pictures of noise, for the tests of this folder."""

from __future__ import annotations

import numpy
import torch
from PIL import Image

from resnet_demo.config import ModelConfig
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.model.resnet import ResNet, build
from resnet_demo.zoo.folder import Weights


def noise(width: int, height: int, seed: int = 0) -> Image.Image:
    """Coarse noise, so that a network's maps differ from place to place."""
    coarse = numpy.random.default_rng(seed).integers(0, 256, (6, 6, 3), numpy.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def settled(model: ResNet, side: int) -> ResNet:
    """The network with the running statistics of its own maps on noise, as training would have left them."""
    model.train()
    for layer in model.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = 1.0
    with torch.no_grad():
        model(torch.randn(8, 3, side, side, generator=torch.Generator().manual_seed(1)))
    return model.eval().requires_grad_(False)


def weights(name: str = "resnet8", side: int = 32) -> Weights:
    config = ModelConfig.named(name)
    return Weights(
        name, settled(build(config, seed=0), side), Preprocessing(image_size=side, resize=side),
        tuple(f"class {number}" for number in range(config.classes)),
    )  # fmt: skip
