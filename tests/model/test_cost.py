"""The counter of parameters and multiply-adds, held to the real networks and to PyTorch's counter of operations."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from resnet_demo.config import ARCHITECTURES, ModelConfig
from resnet_demo.model.cost import DESIGN_SIDE, cost
from resnet_demo.model.resnet import ResNet

VARIANTS = [
    # The two of 1202 layers take seconds to build; they repeat what the others have.
    *(ModelConfig.named(name) for name in ARCHITECTURES if not name.endswith("1202")),
    ModelConfig.named("resnet50", stride_in="1x1", classes=7),
    ModelConfig.named("resnet32", shortcut="B", batch_norm=False, width=8),
    ModelConfig.named("resnet18", shortcut="A", batch_norm=False),
]


def operations(config: ModelConfig, side: int) -> int:
    """What PyTorch counts in a forward pass without computing it: two operations for each multiply-add."""
    with torch.device("meta"), FlopCounterMode(display=False) as counter, torch.no_grad():
        ResNet(config).eval()(torch.empty(1, 3, side, side))
    return int(counter.get_total_flops())


@pytest.mark.parametrize("config", VARIANTS, ids=lambda config: config.name)
def test_the_sums_are_those_of_the_real_network(config: ModelConfig) -> None:
    with torch.device("meta"):
        assert cost(config).parameters == sum(parameter.numel() for parameter in ResNet(config).parameters())
    assert 2 * cost(config).multiply_adds == operations(config, DESIGN_SIDE[config.design])


@pytest.mark.parametrize("name", ("resnet20", "plain56", "resnet18", "resnet50"))
@pytest.mark.parametrize("side", (8, 16, 24, 33, 64, 97, 160))
def test_the_sums_hold_for_pictures_of_every_size(name: str, side: int) -> None:
    config = ModelConfig.named(name, shortcut="B")
    assert 2 * cost(config, side).multiply_adds == operations(config, side)


def test_the_sums_round_to_the_papers_figures() -> None:
    assert round(cost(ModelConfig.named("resnet1202")).parameters / 1e6, 1) == 19.4  # Table 6
    assert round(cost(ModelConfig.named("resnet18")).multiply_adds / 1e9, 1) == 1.8  # Table 1
    paper = ModelConfig.named("resnet50", stride_in="1x1")
    assert round(cost(paper).multiply_adds / 1e9, 1) == 3.9  # 3.858: Table 1 cuts it off to 3.8; option A would give 3.50
