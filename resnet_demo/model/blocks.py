"""Sections 3.1 and 3.2: residual learning, F(x), and the shortcut.

A few stacked layers compute F(x). A plain network passes on relu(F(x)); a residual network passes on
relu(F(x) + x), equation (1), so that its layers only have to learn how the output differs from the input.
This is the only difference between the two, and it stands in one place: `Block.forward`.

In this file F is the paper's F. No operation works in place, so a hook on any layer sees what the text says.
"""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor, nn
from torch.nn.functional import pad, relu

from resnet_demo.config import ModelConfig

Norm = Callable[[int], nn.Module]
"""Makes the normalization layer of a convolution with that many channels."""


def no_norm(_channels: int) -> nn.Module:
    """No normalization, for networks without it."""
    return nn.Identity()


def conv3x3(channels_in: int, channels_out: int, stride: int = 1, *, bias: bool = False) -> nn.Conv2d:
    """A 3×3 convolution that keeps the size of the map at stride 1."""
    return nn.Conv2d(channels_in, channels_out, 3, stride, padding=1, bias=bias)


def conv1x1(channels_in: int, channels_out: int, stride: int = 1, *, bias: bool = False) -> nn.Conv2d:
    """A 1×1 convolution."""
    return nn.Conv2d(channels_in, channels_out, 1, stride, bias=bias)


class ZeroPadding(nn.Module):
    """Option A: the identity, subsampled by the stride, with zeros for the new channels. It has no parameters."""

    def __init__(self, channels_in: int, channels_out: int, stride: int) -> None:
        super().__init__()
        self.new_channels = channels_out - channels_in
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, C + new, H / stride, W / stride)."""
        return pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, 0, self.new_channels))


def projection(channels_in: int, channels_out: int, stride: int, norm: Norm, *, bias: bool) -> nn.Module:
    """Option B: W_s x, a 1×1 convolution, equation (2)."""
    return nn.Sequential(conv1x1(channels_in, channels_out, stride, bias=bias), norm(channels_out))


class Block(nn.Module):
    """A building block: the layers F, with the shortcut around them in a residual network.

    Args:
        channels_in: channels of x.
        width: channels of the 3×3 layer; F(x) has `expansion` times as many.
        stride: 2 in the first block of a stage that halves the map, else 1.
        config: of the network. Where the size changes, the shortcut is its option "A" or "B"; elsewhere the identity.
        norm: makes the normalization layer after each convolution.
    """

    expansion: int

    def __init__(self, channels_in: int, width: int, stride: int, config: ModelConfig, norm: Norm) -> None:
        super().__init__()
        channels_out = width * self.expansion
        self.residual = config.residual
        self.scale = config.shortcut_scale
        self.downsample: nn.Module | None = None
        if self.residual and (stride != 1 or channels_in != channels_out):
            if config.shortcut == "A":
                self.downsample = ZeroPadding(channels_in, channels_out, stride)
            else:
                self.downsample = projection(channels_in, channels_out, stride, norm, bias=not config.batch_norm)

    def F(self, x: Tensor) -> Tensor:
        """The stacked layers, up to the last normalization; no activation follows it."""
        raise NotImplementedError

    def shortcut(self, x: Tensor) -> Tensor:
        """αx: the input x, brought to the size of F(x) where the size changes, times α where that is not the paper's 1."""
        if self.downsample is not None:
            x = self.downsample(x)
        return x if self.scale == 1 else self.scale * x

    def forward(self, x: Tensor) -> Tensor:
        """relu(F(x) + x) in a residual network, relu(F(x)) in a plain one: the whole difference between the two."""
        y = self.F(x)
        if self.residual:
            y = y + self.shortcut(x)
        return relu(y)


class BasicBlock(Block):
    """Figure 5, left: two 3×3 layers. F(x) = W2 relu(W1 x)."""

    expansion = 1

    def __init__(self, channels_in: int, width: int, stride: int, config: ModelConfig, norm: Norm) -> None:
        super().__init__(channels_in, width, stride, config, norm)
        bias = not config.batch_norm
        self.conv1 = conv3x3(channels_in, width, stride, bias=bias)
        self.bn1 = norm(width)
        self.conv2 = conv3x3(width, width, bias=bias)
        self.bn2 = norm(width)

    def F(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, width, H / stride, W / stride)."""
        x = relu(self.bn1(self.conv1(x)))
        y: Tensor = self.bn2(self.conv2(x))
        return y


class Bottleneck(Block):
    """Figure 5, right: a 1×1 layer reduces the channels, a 3×3 layer works on few, a 1×1 layer restores four times as many.

    The paper strides in the first 1×1 layer; torchvision and most published weights stride in the 3×3
    (v1.5), which costs a little more and is about half a percent more accurate on ImageNet.
    """

    expansion = 4

    def __init__(self, channels_in: int, width: int, stride: int, config: ModelConfig, norm: Norm) -> None:
        super().__init__(channels_in, width, stride, config, norm)
        bias = not config.batch_norm
        self.conv1 = conv1x1(channels_in, width, stride if config.stride_in == "1x1" else 1, bias=bias)
        self.bn1 = norm(width)
        self.conv2 = conv3x3(width, width, stride if config.stride_in == "3x3" else 1, bias=bias)
        self.bn2 = norm(width)
        self.conv3 = conv1x1(width, width * self.expansion, bias=bias)
        self.bn3 = norm(width * self.expansion)

    def F(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> (N, 4 width, H / stride, W / stride)."""
        x = relu(self.bn1(self.conv1(x)))
        x = relu(self.bn2(self.conv2(x)))
        y: Tensor = self.bn3(self.conv3(x))
        return y
