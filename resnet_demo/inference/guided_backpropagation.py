"""Guided backpropagation (Springenberg et al. 2015): a gradient that passes relu only where it is positive.

It replaces relu for the calling thread, not in the network, so a shared model stays unchanged and needs no copy.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode


def guided_gradient(score: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    """The guided gradient of the sum of `score(x)`, of the shape of x."""
    x = x.detach().requires_grad_()
    with _GuidedBackpropagation():
        total = score(x).sum()
    return torch.autograd.grad(total, x)[0]


class _GuidedBackpropagation(TorchFunctionMode):
    """A context in which every relu that this thread calls is a guided one; other threads are not affected."""

    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function in (F.relu, torch.relu):
            return _GuidedRelu.apply(args[0])
        return function(*args, **(kwargs or {}))


class _GuidedRelu(torch.autograd.Function):
    """Relu whose gradient passes only where both its input and the gradient are positive."""

    @staticmethod
    def forward(context: Any, x: Tensor) -> Tensor:
        y = F.relu(x)
        context.save_for_backward(y)
        return y

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        y: Tensor = context.saved_tensors[0]
        return F.relu(gradients[0]) * (y > 0)
