"""A trained network put together anew from its own blocks: some left out, in another order, or with a weaker shortcut.

Nothing here changes a block, and no hook is set: the network may be shared with other requests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import relu

from resnet_demo.errors import SettingError
from resnet_demo.model.blocks import BasicBlock, ZeroPadding
from resnet_demo.model.resnet import ResNet
from resnet_demo.zoo.folder import Weights

Step = Callable[[Tensor], Tensor]


def blocks_of(weights: Weights) -> list[tuple[str, BasicBlock]]:
    """Name and module of every block of a CIFAR network, first to last.

    Raises:
        SettingError: it is another network.
    """
    blocks = [(f"{name}.{number}", block) for name, stage in weights.model.stages.items() for number, block in enumerate(stage)]
    if weights.model.config.design != "cifar":
        raise SettingError(f"model: {weights.name} is not one of section 4.2's networks for CIFAR-10.")
    return [(name, block) for name, block in blocks if isinstance(block, BasicBlock)]


def without_layers(block: BasicBlock) -> Step:
    """What remains of a block without its layers F: the shortcut of a residual block.

    A plain block has none; there the identity takes its place or, where the size changes, option A, which has no parameters.
    """
    before, after, stride = block.conv1.in_channels, block.conv1.out_channels, int(block.conv1.stride[0])
    if block.residual:
        return lambda x: relu(block.shortcut(x))
    return ZeroPadding(before, after, stride) if (before, stride) != (after, 1) else lambda x: x


def with_shortcut_scaled(block: BasicBlock, alpha: float) -> Step:
    """relu(F(x) + alpha x) of a residual block."""
    return lambda x: relu(block.F(x) + alpha * block.shortcut(x))


def keeps_size(block: BasicBlock) -> bool:
    """Whether F(x) has the size of x, so that the block may stand at another place of its stage."""
    return block.conv1.in_channels == block.conv1.out_channels and int(block.conv1.stride[0]) == 1


def through(steps: Sequence[Step], x: Tensor) -> Tensor:
    """X after all steps."""
    for step in steps:
        x = step(x)
    return x


def compose(model: ResNet, steps: Sequence[Step]) -> Step:
    """The network with these steps in place of its blocks: (N, 3, H, W) -> (N, classes) logits."""
    return lambda x: model.head(through(steps, model.stem(x)))


def leave_out_each(model: ResNet, blocks: Sequence[BasicBlock]) -> Step:
    """(N, 3, H, W) -> (blocks + 1, N, classes) logits: of the whole network, then without each block in turn.

    The layers before the block that is left out are computed once.
    """

    def forward(x: Tensor) -> Tensor:
        x, results = model.stem(x), []
        for number, block in enumerate(blocks):
            results.append(model.head(through([without_layers(block), *blocks[number + 1 :]], x)))
            x = block(x)
        return torch.stack([model.head(x), *results])

    return forward
