"""What a network costs: its parameters, and its multiply-adds for one picture. No torch here.

Added up from the shapes of the layers, so that a list of all networks costs nothing; a test holds the sums to
the real networks' and to torch's own counter.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from resnet_demo.config import ModelConfig


@dataclass(frozen=True)
class Cost:
    """Parameters, and multiply-adds of convolutions and classifier for one picture (the convention of Table 1)."""

    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class _Convolution:
    channels_in: int
    channels_out: int
    kernel: int
    side: int  # of the map that it makes

    @property
    def weights(self) -> int:
        return self.channels_in * self.channels_out * self.kernel**2


def cost(config: ModelConfig) -> Cost:
    """The cost of a network on pictures of its design's size: 32×32 for the CIFAR nets, 224×224 for the ImageNet nets."""
    convolutions = list(_convolutions(config))
    after = 2 if config.batch_norm else 1  # a scale and a shift for each channel, or a bias
    classifier = convolutions[-1].channels_out * config.classes
    return Cost(
        parameters=sum(layer.weights + after * layer.channels_out for layer in convolutions) + classifier + config.classes,
        multiply_adds=sum(layer.weights * layer.side**2 for layer in convolutions) + classifier,
    )


def _convolutions(config: ModelConfig) -> Iterator[_Convolution]:
    """Every convolution, projections before the layers that they go around."""
    width, cifar = config.width, config.design == "cifar"
    yield _Convolution(3, width, *((3, 32) if cifar else (7, 112)))
    channels, side = width, 32 if cifar else 56
    for number, blocks in enumerate(config.stages):
        inner = width * 2**number
        outer = inner * (4 if config.block == "bottleneck" else 1)
        for block in range(blocks):
            before = side
            if block == 0 and number > 0:
                side //= 2
            if config.residual and config.shortcut == "B" and (side != before or channels != outer):
                yield _Convolution(channels, outer, 1, side)
            if config.block == "bottleneck":
                yield _Convolution(channels, inner, 1, side if config.stride_in == "1x1" else before)
                yield _Convolution(inner, inner, 3, side)
                yield _Convolution(inner, outer, 1, side)
            else:
                yield _Convolution(channels, inner, 3, side)
                yield _Convolution(inner, outer, 3, side)
            channels = outer
