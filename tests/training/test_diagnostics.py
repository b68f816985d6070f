"""Figure 7's readings against what the layers really give out."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from resnet_demo.config import ModelConfig
from resnet_demo.model.resnet import build
from resnet_demo.training import diagnostics


def picture() -> torch.Tensor:
    return torch.randn(4, 3, 16, 16, generator=torch.Generator().manual_seed(0))


def test_responses_are_read_after_the_normalization_and_before_the_addition() -> None:
    model = build(ModelConfig(depth=8, width=4), 0)
    with diagnostics.response_deviations(model) as deviations:
        model(picture())
    assert len(deviations) == len(diagnostics.layers(model)) == 7
    with torch.no_grad():
        stem = model.bn1(model.conv1(picture()))
        assert float(deviations[0]) == pytest.approx(float(stem.std()), rel=1e-5)
        assert float(deviations[2]) == pytest.approx(float(model.layer1[0].F(torch.relu(stem)).std()), rel=1e-5)


def test_without_batch_norm_the_convolutions_own_responses_are_read() -> None:
    model = build(ModelConfig(depth=8, width=4, batch_norm=False), 0)
    with diagnostics.response_deviations(model) as deviations:
        model(picture())
    with torch.no_grad():
        assert float(deviations[0]) == pytest.approx(float(model.conv1(picture()).std()), rel=1e-5)


def test_projections_are_no_layers_of_the_paper() -> None:
    with_projections = build(ModelConfig(depth=8, width=4, shortcut="B"), 0)
    assert [name for name, _, _ in diagnostics.layers(with_projections)] == [
        name for name, _, _ in diagnostics.layers(build(ModelConfig(depth=8, width=4), 0))
    ]


def test_no_hook_stays_even_when_the_forward_pass_fails() -> None:
    model = build(ModelConfig(depth=8, width=4), 0)
    with pytest.raises(RuntimeError), diagnostics.response_deviations(model):
        model(torch.zeros(1, 5, 16, 16))
    assert not any(module._forward_hooks for module in model.modules())


def test_gradient_norms_are_those_of_the_convolutions() -> None:
    model = nn.Sequential()
    model.add_module("conv1", nn.Conv2d(1, 1, 1, bias=False))
    assert diagnostics.gradient_norms(model) == [0.0]
    model.conv1.weight.grad = torch.full((1, 1, 1, 1), -3.0)
    assert diagnostics.gradient_norms(model) == [3.0]


def test_without_batch_norm_responses_grow_from_block_to_block_only_with_shortcuts() -> None:
    growth = {}
    for batch_norm in (True, False):
        for residual in (True, False):
            model = build(ModelConfig(depth=20, batch_norm=batch_norm, residual=residual), seed=0).train()
            with diagnostics.response_deviations(model) as deviations, torch.no_grad():
                model(torch.randn(64, 3, 16, 16, generator=torch.Generator().manual_seed(0)))
            growth[batch_norm, residual] = float(deviations[-1] / deviations[0])
    assert growth[False, True] > 4  # the sum of what nine blocks added
    assert all(growth[kind] < 2 for kind in ((True, True), (True, False), (False, False)))
