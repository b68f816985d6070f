"""The gradient along a line between two pictures, against differences of the logit and against what ships."""

from __future__ import annotations

import pytest
import torch

from resnet_demo.config import ModelConfig
from resnet_demo.inside.context import Context, ExperimentCancelled
from resnet_demo.inside.gradients import adopt_statistics, along, derivative, gradients, line
from resnet_demo.inside.shattered import POINTS, shipped
from resnet_demo.model.resnet import build

FIRST, SECOND = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
TINY = ModelConfig(depth=8, width=4)


def test_the_derivative_is_the_slope_of_the_logit_along_the_line() -> None:
    model = build(TINY, 0).double()
    points = line(FIRST, SECOND, 5).double()
    adopt_statistics(model, points)
    direction, step = (SECOND - FIRST).double(), 1e-6
    slopes = (model(points + step * direction)[:, 0] - model(points - step * direction)[:, 0]) / (2 * step)
    assert torch.allclose(derivative(model, points, direction), slopes, rtol=1e-5)


def test_a_network_normalizes_by_the_points_of_the_line() -> None:
    model, points = build(TINY, 0), line(FIRST, SECOND, 7)
    adopt_statistics(model, points)
    normalized = model.bn1(model.conv1(points))
    assert torch.allclose(normalized.mean((0, 2, 3)), torch.zeros(4), atol=1e-5)
    assert torch.allclose(points[0], FIRST) and torch.allclose(points[-1], SECOND)


def test_the_parts_of_the_line_give_what_the_whole_gives() -> None:
    model, points = build(TINY, 3), line(FIRST, SECOND)
    adopt_statistics(model, points)
    whole = derivative(model, points, SECOND - FIRST)
    assert along(TINY, 3, FIRST, SECOND, Context.alone()) == pytest.approx(whole.tolist(), rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("residual", [False, True])
def test_deep_plain_gradients_need_double_precision(residual: bool) -> None:
    config = ModelConfig(depth=56, width=4, residual=residual)

    def computed(dtype: torch.dtype, shift: float = 0.0) -> torch.Tensor:
        model, points = build(config, 0).to(dtype), line(FIRST.to(dtype), SECOND.to(dtype), 64) + shift
        adopt_statistics(model, points)
        return derivative(model, points, points[-1] - points[0]).double()

    exact = computed(torch.float64)
    deviation = (exact - exact.mean()).norm()
    error = (computed(torch.float32) - exact).norm() / deviation
    assert error < 1e-4 if residual else error > 0.05
    assert (computed(torch.float64, shift=1e-13) - exact).norm() < 1e-8 * deviation


def test_the_gradients_that_ship_are_those_of_the_networks() -> None:
    computed, kept = gradients(8, 0, Context.alone()), shipped()[8]
    for one, other in ((computed.plain, kept.plain), (computed.residual, kept.residual)):
        difference = torch.tensor(one) - torch.tensor(other)
        assert difference.norm() < 1e-4 * torch.tensor(other).norm()  # five digits ship
    assert len(kept.plain) == POINTS


def test_nobody_waits_any_more() -> None:
    with pytest.raises(ExperimentCancelled):
        along(TINY, 0, FIRST, SECOND, Context(lambda name: pytest.fail(name), str, lambda: True))
