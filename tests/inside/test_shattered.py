"""What the gradients between two pictures show: autocorrelation by hand, the shipped numbers, the sentence."""

from __future__ import annotations

import numpy
import pytest

from resnet_demo.inside.shattered import NOISE, Gradients, autocorrelation, outcome, shipped


def test_autocorrelation_is_the_one_by_hand() -> None:
    assert autocorrelation((1.0, 2.0, 3.0, 6.0), 2) == pytest.approx([1, 2 / 14, -3 / 14])  # deviations -2 -1 0 3
    smooth = tuple(numpy.sin(numpy.linspace(0, 3, 256)).tolist())
    assert autocorrelation(smooth, 1)[1] > 0.98


def test_from_32_layers_on_the_plain_gradient_that_ships_is_noise_and_the_residual_one_is_not() -> None:
    for depth, gradients in shipped().items():
        plain, residual = (autocorrelation(values, 1)[1] for values in (gradients.plain, gradients.residual))
        assert residual > max(plain, 0.4)
        assert abs(plain) < 1.1 * NOISE if depth >= 32 else plain > 3 * NOISE


def test_the_sentence_says_noise_only_where_it_is() -> None:
    smooth, wild = tuple(float(n) for n in range(256)), tuple(numpy.random.default_rng(0).normal(size=256).tolist())
    by_depth = {8: Gradients(plain=smooth, residual=smooth)}
    result = outcome(8, 0, Gradients(plain=wild, residual=smooth), by_depth)
    assert "no more than noise" in result.sentence
    assert "noise" not in outcome(8, 0, by_depth[8], by_depth).sentence
    assert [len(panel.lines) for panel in result.panels] == [1, 1, 2, 2]
