"""Computes the gradients along a line between two pictures, and writes those that ship.

In double precision: in single precision the gradient of a deep plain network is mostly rounding (LOG.md).

python -m resnet_demo.inside.gradients
"""

from __future__ import annotations

import sys

import torch
from torch import Tensor, nn

from resnet_demo.config import ModelConfig
from resnet_demo.data.image import read
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.evaluation.threads import one_processor_each
from resnet_demo.files import write_atomically
from resnet_demo.inference.examples import EXAMPLE_PICTURES
from resnet_demo.inside.context import Context
from resnet_demo.inside.outcome import Outcome
from resnet_demo.inside.request import InsideRequest
from resnet_demo.inside.shattered import POINTS, SHIPPED, Gradients, ShippedGradients, outcome, shipped
from resnet_demo.model.resnet import ResNet, build

DEPTHS = (8, 14, 20, 32, 44, 56, 80, 110)
PART = 64
"""Points whose graph is in memory at a time."""


def line(first: Tensor, second: Tensor, points: int = POINTS) -> Tensor:
    """Points on the straight line between two pictures, (3, H, W) each: (points, 3, H, W), with both ends."""
    return torch.lerp(first, second, torch.linspace(0, 1, points, dtype=first.dtype).view(-1, 1, 1, 1))


def adopt_statistics(model: ResNet, images: Tensor) -> None:
    """Give the batch normalization of a network of one's own the statistics of these images, for evaluation mode."""
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = 1.0
    with torch.no_grad():
        model.train()(images)
    model.eval().requires_grad_(False)


def derivative(model: ResNet, images: Tensor, direction: Tensor) -> Tensor:
    """The derivative of the first logit in a direction, (3, H, W), at each image, (N, 3, H, W): (N,)."""
    points = images.clone().requires_grad_()
    with torch.enable_grad():
        (gradient,) = torch.autograd.grad(model(points)[:, 0].sum(), points)
    return (gradient * direction).sum((1, 2, 3))


def along(config: ModelConfig, seed: int, first: Tensor, second: Tensor, context: Context) -> tuple[float, ...]:
    """The derivative of an untrained network's first logit at POINTS points of the line, per whole length of the line."""
    model, images = build(config, seed).double(), line(first.double(), second.double())
    adopt_statistics(model, images)
    parts: list[Tensor] = []
    for part in images.split(PART):
        context.check()
        context.say(f"{config.kind}-{config.depth}, in double precision: {PART * len(parts)} of {POINTS} points.")
        parts.append(derivative(model, part, images[-1] - images[0]))
    return tuple(torch.cat(parts).tolist())


def gradients(depth: int, seed: int, context: Context) -> Gradients:
    """The gradients of both kinds of network between the cat and the ship that ship."""
    side = Preprocessing()
    first, second = (side.tensor(side.crop(read(example.path)))[0] for example in EXAMPLE_PICTURES[:2])
    context.say(f"Computing the gradients of two untrained networks of {depth} layers in double precision.")

    def one(residual: bool) -> tuple[float, ...]:
        return along(ModelConfig(depth=depth, residual=residual), seed, first, second, context)

    with one_processor_each() as pool:
        plain, residual = pool.map(one, (False, True))
    return Gradients(plain=plain, residual=residual)


def run(request: InsideRequest, context: Context) -> Outcome:
    """The experiment."""
    by_depth = shipped()
    return outcome(request.depth, request.seed, gradients(request.depth, request.seed, context), by_depth)


def main() -> None:
    """Compute what ships."""
    context, by_depth = Context.alone(), {}
    for depth in DEPTHS:
        computed = gradients(depth, 0, context)
        digits = {kind: tuple(float(f"{value:.5g}") for value in values) for kind, values in computed.model_dump().items()}
        by_depth[str(depth)] = Gradients(**digits)
        print(depth, file=sys.stderr)  # noqa: T201
    write_atomically(SHIPPED, (ShippedGradients(by_depth=by_depth).model_dump_json() + "\n").encode())


if __name__ == "__main__":
    main()
