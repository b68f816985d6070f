from __future__ import annotations

import pytest

from resnet_demo.config import ModelConfig
from resnet_demo.evaluation.cost import cost
from resnet_demo.model.resnet import build, count_multiply_adds, count_parameters


@pytest.mark.parametrize("name", ["resnet8", "resnet20", "plain44", "resnet56", "resnet110"])
def test_the_straight_line_gives_what_counting_gives(name: str) -> None:
    config = ModelConfig.named(name)
    found = cost(config)
    assert found.parameters == count_parameters(build(config))
    assert found.multiply_adds == count_multiply_adds(config, 32)


def test_projections_and_missing_batch_norm_are_counted() -> None:
    config = ModelConfig.named("resnet32", shortcut="B", batch_norm=False, width=8)
    assert cost(config).parameters == count_parameters(build(config))
    assert cost(config).multiply_adds == count_multiply_adds(config, 32)


def test_the_paper_s_rounded_figures() -> None:
    assert round(cost(ModelConfig.named("resnet1202")).parameters / 1e6, 1) == 19.4  # Table 6
    assert round(cost(ModelConfig.named("resnet18")).multiply_adds / 1e9, 1) == 1.8  # Table 1
    paper = ModelConfig.named("resnet50", stride_in="1x1")
    assert round(cost(paper).multiply_adds / 1e9, 1) == 3.9  # Table 1 says 3.8, without the projections
