"""Muon: SGD in which the update of a convolution is an orthogonal matrix (Jordan et al. 2024, kellerjordan.github.io/posts/muon).

The gradient of a convolution, as a matrix with a row for each filter, has a few large singular values, and SGD learns little
else. Muon replaces the matrix by its orthogonal factor, whose singular values are all 1: the filters learn as much from
every direction of the gradient.

Batch normalization follows each convolution of these networks, so that the length of a filter does not matter. Here the
root mean square length of a convolution's filters is 1, and so is that of their updates: their learning rate is how far a
step turns them, in radians, and weight decay, which turns filters faster by making them shorter, has nothing to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

A, B, C = 3.4445, -4.7750, 2.0315  # small singular values rise fast, at the price that large ones end between 0.7 and 1.2
ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """Muon for the weights of convolutions, SGD with Nesterov's momentum for all other parameters.

    Args:
        parameters: parameters or groups of them, each perhaps with a `weight_decay`, which convolutions ignore.
        lr: the learning rate.
        momentum: the share of the sum of earlier gradients that a step keeps.
        filter_rate: the learning rate of convolutions, as a share of `lr`.
    """

    def __init__(
        self, parameters: Iterable[Tensor] | Iterable[dict[str, Any]], lr: float, momentum: float, filter_rate: float
    ) -> None:
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": 0.0, "filter_rate": filter_rate})

    @torch.no_grad()
    def step(self, closure: None = None) -> None:  # type: ignore[override]  # noqa: ARG002 torch's signature
        """Change each parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                is_convolution = parameter.ndim == 4
                gradient = parameter.grad if is_convolution else parameter.grad + group["weight_decay"] * parameter
                state = self.state[parameter]
                state["sum"] = group["momentum"] * state["sum"] + gradient if state else gradient.clone()
                update = gradient + group["momentum"] * state["sum"]  # Nesterov's
                if is_convolution:
                    update = orthogonal(update.flatten(1)).reshape(update.shape)
                    update = group["filter_rate"] * update / filter_length(update)
                    parameter.div_(filter_length(parameter))
                parameter.sub_(group["lr"] * update)


def filter_length(weights: Tensor) -> Tensor:
    """The root mean square of the filters' lengths. `weights` is (filters, …)."""
    length: Tensor = torch.linalg.vector_norm(weights) / len(weights) ** 0.5
    return length


def orthogonal(matrix: Tensor) -> Tensor:
    """The matrix with the same singular vectors and singular values near 1 (0.7 to 1.2), by Newton-Schulz iteration.

    A polynomial of the form aX + bXXᵀX + c(XXᵀ)²X changes the singular values of X alone, each by the same polynomial.
    """
    is_tall = len(matrix) > matrix.shape[1]
    x: Tensor = matrix.T if is_tall else matrix
    x = x / (torch.linalg.matrix_norm(x) + 1e-7)
    for _ in range(ITERATIONS):
        square = x @ x.T
        x = A * x + (B * square + C * square @ square) @ x
    return x.T if is_tall else x
