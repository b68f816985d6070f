"""Batch normalization (Ioffe and Szegedy 2015, arXiv 1502.03167, Algorithm 1) in a form that torch.compile makes fast on a CPU."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn


class CompiledBatchNorm2d(nn.BatchNorm2d):
    """torch's layer with its parameters and buffers; compiled on a CPU, with the same results up to rounding.

    Where torch.compile compiles a training step for a CPU, it sums over the whole batch on a single core as long as
    the channels are as few as in the CIFAR nets; there the layer computes with sums over each picture, which the
    cores share out: a step of ResNet-20 on two cores becomes 1.11 times as fast by compiling instead of 1.05 (LOG.md).
    """

    momentum: float
    running_mean: Tensor
    running_var: Tensor
    num_batches_tracked: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C, H, W)."""
        if not (self.training and x.device.type == "cpu" and torch.compiler.is_compiling()):
            return super().forward(x)
        y: Tensor
        y, mean, variance = _Normalized.apply(x, self.weight, self.bias, self.eps)
        count = x.numel() / x.shape[1]
        with torch.no_grad():
            self.num_batches_tracked.add_(1)
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * (count / (count - 1)), self.momentum)
        return y


class _Normalized(torch.autograd.Function):
    """Algorithm 1 with its gradient: x (N, C, H, W), gamma (C,), beta (C,) and epsilon -> y as large as x and in its format.

    Beside y the mean and the variance (over all values, not one less) of each channel, (C,), which have no gradient.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, Tensor, Tensor]:
        mean = _mean(x.float())
        deviation = x.float() - _wide(mean)
        variance = _mean(deviation * deviation)
        rate = torch.rsqrt(variance + eps)
        ctx.save_for_backward(x, weight, mean, rate)
        ctx.mark_non_differentiable(mean, variance)
        return (deviation * _wide(weight * rate) + _wide(bias)).to(x.dtype), mean, variance

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        x, weight, mean, rate = ctx.saved_tensors
        gradient, deviation = gradients[0].float(), x.float() - _wide(mean)
        along_bias, along_weight = _mean(gradient), _mean(gradient * deviation) * rate
        towards_x = gradient - _wide(along_bias) - deviation * _wide(along_weight * rate)
        count = x.numel() / x.shape[1]
        return (towards_x * _wide(weight * rate)).to(x.dtype), along_weight * count, along_bias * count, None


def _mean(x: Tensor) -> Tensor:
    """Of each channel: (N, C, H, W) -> (C,); first over each picture, so that cores can share the pictures."""
    return x.sum((2, 3)).sum(0) * (x.shape[1] / x.numel())


def _wide(of_channels: Tensor) -> Tensor:
    return of_channels.view(1, -1, 1, 1)
