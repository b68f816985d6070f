"""Computes Figure 7 of the models for CIFAR-10 that ship, and writes each model's numbers into its folder.

python -m resnet_demo.paper.layer_responses
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from torch import Tensor

from resnet_demo.data.augment import normalize
from resnet_demo.evaluation import testset
from resnet_demo.files import write_atomically
from resnet_demo.paper.responses import RESPONSES, Responses
from resnet_demo.training import diagnostics
from resnet_demo.zoo import catalogue, folder

DIGITS = 4


def layer_responses(weights: folder.Weights, source: str = "bundled") -> Responses:
    """The responses of a model on the test images of `source`, all in one batch."""
    pictures = testset.load(source)
    images = torch.cat(list(pictures.batches(weights.preprocessing)))
    return Responses(
        images=f"{len(images):,} test images of {pictures.name}",
        layers=tuple(name for name, _, _ in diagnostics.layers(weights.model)),
        deviations=tuple(round(deviation, DIGITS) for deviation in deviations(weights, images)),
    )


def deviations(weights: folder.Weights, images: Tensor) -> list[float]:
    """The standard deviation of each layer's response to (N, 3, H, W) bytes, first to last."""
    inputs = normalize(images, weights.preprocessing.mean, weights.preprocessing.std)
    with torch.no_grad(), diagnostics.response_deviations(weights.model) as result:
        weights.model(inputs)
    return [float(deviation) for deviation in result]


def write(model: Path) -> Responses:
    """Compute a model folder's numbers and write them into it."""
    responses = layer_responses(folder.load(model))
    write_atomically(model / RESPONSES, (responses.model_dump_json(indent=1) + "\n").encode())
    return responses


def main() -> None:
    """Compute the numbers of every model for CIFAR-10 that ships."""
    for entry in catalogue.available():
        model = catalogue.SHIPPED / entry.name
        if entry.trained_on == "CIFAR-10" and model.is_dir():
            print(f"{entry.name}: {len(write(model).layers)} layers", file=sys.stderr)


if __name__ == "__main__":
    main()
