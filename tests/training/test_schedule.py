"""Schedules against values worked out by hand."""

from __future__ import annotations

import pytest

from resnet_demo.training.schedule import SCHEDULES, warmed_up

BY_HAND = {
    "paper": ((0.0, 1), (0.49, 1), (0.5, 0.1), (0.74, 0.1), (0.75, 0.01), (0.99, 0.01)),
    "cosine": ((0.0, 1), (0.5, 0.5), (1.0, 0)),
    "linear": ((0.0, 1), (0.25, 0.75), (1.0, 0)),
    "one-cycle": ((0.0, 0.04), (0.15, 0.52), (0.3, 1), (0.65, 0.5), (1.0, 0)),
    "triangle": ((0.0, 0), (0.075, 0.5), (0.15, 1), (0.575, 0.5), (1.0, 0)),
    "constant": ((0.0, 1), (1.0, 1)),
}


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_schedule_has_the_values_of_its_formula(name: str) -> None:
    for progress, factor in BY_HAND[name]:
        assert SCHEDULES[name](progress) == pytest.approx(factor, abs=1e-12)


def test_warm_up_rises_in_a_line_and_then_follows_the_schedule() -> None:
    schedule = warmed_up(SCHEDULES["linear"], 0.2)
    assert [schedule(progress) for progress in (0.0, 0.05, 0.1, 0.2, 0.6)] == pytest.approx([0, 0.25, 0.5, 0.8, 0.4])


def test_no_warm_up_leaves_the_schedule_as_it_is() -> None:
    assert warmed_up(SCHEDULES["cosine"], 0.0) is SCHEDULES["cosine"]
