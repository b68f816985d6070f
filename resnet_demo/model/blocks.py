"""Sections 3.1 and 3.2: residual learning, F(x), and the shortcut.

A few stacked layers compute F(x). A plain network passes on relu(F(x)); a residual network passes on
relu(F(x) + x), equation (1), so that the layers need only learn how the output differs from the input.
That is the one difference between the two, and it is one line: `Block.forward`.

No operation here works in place: a hook on any layer sees what the text says it sees.
"""

from __future__ import annotations

from typing import Literal

import torch.nn.functional as F
from torch import Tensor, nn

from resnet_demo.model.batch_norm import BatchNorm2d


def conv3x3(channels_in: int, channels_out: int, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    """A 3×3 convolution that keeps the map's size at stride 1."""
    return nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=bias)


def conv1x1(channels_in: int, channels_out: int, stride: int = 1, bias: bool = False) -> nn.Conv2d:
    """A 1×1 convolution."""
    return nn.Conv2d(channels_in, channels_out, 1, stride, bias=bias)


def norm(channels: int, batch_norm: bool) -> nn.Module:
    """Batch normalization right after each convolution (section 3.4), or nothing where it is switched off."""
    return BatchNorm2d(channels) if batch_norm else nn.Identity()


class ZeroPadding(nn.Module):
    """Option A: the identity, taken at every second position, with zeros for the new channels. No parameters."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.new_channels = channels_out - channels_in
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C + new, H / stride, W / stride)."""
        return F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new_channels))


def projection(channels_in: int, channels_out: int, stride: int, batch_norm: bool) -> nn.Module:
    """Option B: W_s x, a 1×1 convolution, equation (2)."""
    return nn.Sequential(conv1x1(channels_in, channels_out, stride, bias=not batch_norm), norm(channels_out, batch_norm))


class Block(nn.Module):
    """A building block: the layers F, and the shortcut around them when `residual` is true.

    Args:
        channels_in: channels of x.
        channels_out: channels of F(x).
        stride: 2 where a stage begins and halves the map, else 1.
        residual: the switch: with the shortcut, or without.
        shortcut: option "A" or "B", for the blocks that change the size; every other shortcut is the identity.
        batch_norm: with batch normalization after each convolution.
    """

    def __init__(
        self, channels_in: int, channels_out: int, stride: int, *, residual: bool, shortcut: Literal["A", "B"], batch_norm: bool
    ) -> None:
        super().__init__()
        self.residual = residual
        self.downsample: nn.Module | None = None
        if residual and (stride != 1 or channels_in != channels_out):
            if shortcut == "A":
                self.downsample = ZeroPadding(channels_in, channels_out, stride)
            else:
                self.downsample = projection(channels_in, channels_out, stride, batch_norm)

    def F(self, x: Tensor) -> Tensor:
        """The stacked layers, up to the last one's normalization; no activation after it."""
        raise NotImplementedError

    def shortcut(self, x: Tensor) -> Tensor:
        """X itself, or x brought to the size of F(x)."""
        return x if self.downsample is None else self.downsample(x)

    def forward(self, x: Tensor) -> Tensor:
        """relu(F(x) + x), or relu(F(x)): the whole difference between a residual and a plain network."""
        y = self.F(x)
        return F.relu(y + self.shortcut(x) if self.residual else y)


class BasicBlock(Block):
    """Figure 5, left: two 3×3 layers. F(x) = W2 relu(W1 x)."""

    expansion = 1

    def __init__(
        self, channels_in: int, width: int, stride: int, *,
        residual: bool, shortcut: Literal["A", "B"], batch_norm: bool,
        stride_in: Literal["1x1", "3x3"],  # noqa: ARG002  only a bottleneck has the choice; both kinds are built alike
    ) -> None:  # fmt: skip
        super().__init__(channels_in, width, stride, residual=residual, shortcut=shortcut, batch_norm=batch_norm)
        self.conv1 = conv3x3(channels_in, width, stride, bias=not batch_norm)
        self.bn1 = norm(width, batch_norm)
        self.conv2 = conv3x3(width, width, bias=not batch_norm)
        self.bn2 = norm(width, batch_norm)

    def F(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, width, H / stride, W / stride)."""
        x = F.relu(self.bn1(self.conv1(x)))
        y: Tensor = self.bn2(self.conv2(x))
        return y


class Bottleneck(Block):
    """Figure 5, right: 1×1 reduces the channels, 3×3 works on few, 1×1 restores four times as many.

    The paper strides in the first 1×1; torchvision and most published weights stride in the 3×3
    (called v1.5), which costs a little more and is about half a percent more accurate on ImageNet.
    """

    expansion = 4

    def __init__(
        self, channels_in: int, width: int, stride: int, *,
        residual: bool, shortcut: Literal["A", "B"], batch_norm: bool, stride_in: Literal["1x1", "3x3"],
    ) -> None:  # fmt: skip
        channels_out = width * self.expansion
        super().__init__(channels_in, channels_out, stride, residual=residual, shortcut=shortcut, batch_norm=batch_norm)
        self.conv1 = conv1x1(channels_in, width, stride if stride_in == "1x1" else 1, bias=not batch_norm)
        self.bn1 = norm(width, batch_norm)
        self.conv2 = conv3x3(width, width, stride if stride_in == "3x3" else 1, bias=not batch_norm)
        self.bn2 = norm(width, batch_norm)
        self.conv3 = conv1x1(width, channels_out, bias=not batch_norm)
        self.bn3 = norm(channels_out, batch_norm)

    def F(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, 4 width, H / stride, W / stride)."""
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.relu(self.bn2(self.conv2(x)))
        y: Tensor = self.bn3(self.conv3(x))
        return y
