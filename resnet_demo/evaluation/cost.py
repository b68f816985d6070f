"""What a network costs: its parameters, and its multiply-adds for one picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import torch

from resnet_demo.config import ModelConfig
from resnet_demo.model.resnet import ResNet, count_multiply_adds, count_parameters


@dataclass(frozen=True)
class Cost:
    """Parameters, and multiply-adds of convolutions and classifier for one picture (the convention of Table 1)."""

    parameters: int
    multiply_adds: int


def cost(config: ModelConfig) -> Cost:
    """The cost of a network on pictures of its design's size: 32×32 for the CIFAR nets, 224×224 for the ImageNet nets.

    A CIFAR net of 6n + 2 layers repeats one building block n times in each stage, so its cost is a straight
    line in n: it is counted for n = 2 and 3 and continued from there. The 1202 layers would take seconds.
    """
    blocks = config.stages[0]
    if config.design == "imagenet" or blocks <= 3:
        return _counted(config)
    two, three = (_counted(config.model_copy(update={"depth": 6 * n + 2})) for n in (2, 3))
    return Cost(
        two.parameters + (blocks - 2) * (three.parameters - two.parameters),
        two.multiply_adds + (blocks - 2) * (three.multiply_adds - two.multiply_adds),
    )


@lru_cache(maxsize=64)
def _counted(config: ModelConfig) -> Cost:
    with torch.device("meta"):
        parameters = count_parameters(ResNet(config))
    return Cost(parameters, count_multiply_adds(config, 32 if config.design == "cifar" else 224))
