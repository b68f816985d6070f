from __future__ import annotations

import pytest
import torch

from resnet_demo.config import ARCHITECTURES, ModelConfig
from resnet_demo.evaluation.cost import cost
from resnet_demo.model.resnet import ResNet, count_multiply_adds, count_parameters

VARIANTS = [
    # The two of 1202 layers take seconds to build; they repeat what the others have.
    *(ModelConfig.named(name) for name in ARCHITECTURES if not name.endswith("1202")),
    ModelConfig.named("resnet50", stride_in="1x1", classes=7),
    ModelConfig.named("resnet32", shortcut="B", batch_norm=False, width=8),
    ModelConfig.named("resnet18", shortcut="A", batch_norm=False),
]


@pytest.mark.parametrize("config", VARIANTS, ids=lambda config: config.name)
def test_the_sums_are_the_real_network_s(config: ModelConfig) -> None:
    with torch.device("meta"):
        assert cost(config).parameters == count_parameters(ResNet(config))
    assert cost(config).multiply_adds == count_multiply_adds(config, 32 if config.design == "cifar" else 224)


def test_the_paper_s_rounded_figures() -> None:
    assert round(cost(ModelConfig.named("resnet1202")).parameters / 1e6, 1) == 19.4  # Table 6
    assert round(cost(ModelConfig.named("resnet18")).multiply_adds / 1e9, 1) == 1.8  # Table 1
    paper = ModelConfig.named("resnet50", stride_in="1x1")
    assert round(cost(paper).multiply_adds / 1e9, 1) == 3.9  # Table 1 says 3.8, without the projections
