"""What a network costs: its parameters, and its multiply-adds for one picture. No torch here.

The costs are added up from the shapes of the layers, so a list of all networks is instant; tests hold the sums to
the real networks' parameters and to PyTorch's own counter of operations. This is the only counter: the estimate of
a run's time, the limit on visitors' runs and the command `models` use it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from resnet_demo.config import ModelConfig

DESIGN_SIDE = {"cifar": 32, "imagenet": 224}
"""Side in pixels of the pictures that each design is made for (section 4.2; Table 1)."""


@dataclass(frozen=True)
class Cost:
    """Learned parameters, and multiply-adds of convolutions and classifier for one picture (the convention of Table 1)."""

    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class _Convolution:
    channels_in: int
    channels_out: int
    kernel: int
    side: int  # of the map that it computes
    stage: int = 0  # from 1; 0 for the stem

    @property
    def weights(self) -> int:
        return self.channels_in * self.channels_out * self.kernel**2


def cost(config: ModelConfig, side: int | None = None) -> Cost:
    """The cost of a network.

    Args:
        config: the network.
        side: of the square picture in pixels; by default the one that the design is made for.
    """
    parts = costs_by_stage(config, side)
    return Cost(sum(part.parameters for part in parts), sum(part.multiply_adds for part in parts))


def costs_by_stage(config: ModelConfig, side: int | None = None) -> tuple[Cost, ...]:
    """The cost of the stem, of each stage, and of the classifier, in this order; arguments as of `cost`."""
    convolutions = list(_convolutions(config, side or DESIGN_SIDE[config.design]))
    per_channel = 2 if config.batch_norm else 1  # a scale and a shift, or a bias
    sizes = (convolutions[-1].channels_out, *config.hidden, config.classes)
    classifier = sum(before * after for before, after in itertools.pairwise(sizes))
    return (
        *(
            Cost(
                parameters=sum(layer.weights + per_channel * layer.channels_out for layer in layers),
                multiply_adds=sum(layer.weights * layer.side**2 for layer in layers),
            )
            for layers in ([layer for layer in convolutions if layer.stage == stage] for stage in range(len(config.stages) + 1))
        ),
        Cost(classifier + sum(sizes[1:]), classifier),
    )


def _convolutions(config: ModelConfig, side: int) -> Iterator[_Convolution]:
    """Every convolution; a projection comes before the layers that it goes around."""
    width = config.width
    if config.design == "cifar":
        yield _Convolution(3, width, 3, side)
    else:
        side = _halved(side)  # the 7×7 convolution
        yield _Convolution(3, width, 7, side)
        side = _halved(side)  # the pooling
    channels = width
    for number, blocks in enumerate(config.stages):
        inner = width * 2**number
        outer = inner * (4 if config.block == "bottleneck" else 1)
        for block in range(blocks):
            side_in = side
            if block == 0 and number > 0:
                side = _halved(side)
            if config.residual and config.shortcut == "B" and (side != side_in or channels != outer):
                yield _Convolution(channels, outer, 1, side, number + 1)
            if config.block == "bottleneck":
                yield _Convolution(channels, inner, 1, side if config.stride_in == "1x1" else side_in, number + 1)
                yield _Convolution(inner, inner, 3, side, number + 1)
                yield _Convolution(inner, outer, 1, side, number + 1)
            else:
                yield _Convolution(channels, inner, 3, side, number + 1)
                yield _Convolution(inner, outer, 3, side, number + 1)
            channels = outer


def _halved(side: int) -> int:
    """The side of the map after a layer of stride 2, each of which is padded so that half a pixel more is rounded up."""
    return (side + 1) // 2
