"""Gradients and responses of a network by layer, while it trains.

Responses are those of Figure 7: the outputs of each convolution after its normalization, before the activation and
the addition.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def layers(model: nn.Module) -> list[tuple[str, nn.Conv2d, nn.Module]]:
    """(name, convolution, the module whose output is the layer's response), first to last, without projections."""
    modules = dict(model.named_modules())
    result = []
    for name, module in modules.items():
        if isinstance(module, nn.Conv2d) and "downsample" not in name:
            after = modules.get(name.replace("conv", "bn"), module)
            result.append((name, module, module if isinstance(after, nn.Identity) else after))
    return result


@contextmanager
def response_deviations(model: nn.Module) -> Iterator[list[Tensor]]:
    """While open, each forward pass appends the standard deviation of every layer's response, in order."""
    deviations: list[Tensor] = []

    def read(_module: nn.Module, _inputs: object, output: Tensor) -> None:
        deviations.append(output.detach().float().std())

    handles = [response.register_forward_hook(read) for _, _, response in layers(model)]
    try:
        yield deviations
    finally:
        for handle in handles:
            handle.remove()


def gradient_norms(model: nn.Module) -> list[float]:
    """The Euclidean norm of the gradient of each convolution's weights, after a backward pass."""
    gradients = [conv.weight.grad for _, conv, _ in layers(model)]
    return [0.0 if gradient is None else float(torch.linalg.vector_norm(gradient)) for gradient in gradients]
