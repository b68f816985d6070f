"""The sentences under the figures of a comparison."""

from __future__ import annotations

import math

import pytest

from resnet_demo.config import ArmConfig, ModelConfig, RunConfig
from resnet_demo.results.readings import readings
from resnet_demo.training.events import Diagnosed, Event, Measured, TrainingPoint

ARMS = tuple(
    ArmConfig(name=f"{kind}8-s0", model=ModelConfig(depth=8, residual=kind == "residual")) for kind in ("plain", "residual")
)
CONFIG = RunConfig(arms=ARMS, steps=100)


def of_arm(name: str, loss: float, error: float, gradients: tuple[float, ...], responses: tuple[float, ...]) -> list[Event]:
    return [
        TrainingPoint(step=40, arm=name, loss=loss, error=0.5, learning_rate=0.1),
        Diagnosed(step=40, arm=name, layers=("a", "b", "c"), gradient_norms=(9, 9, 9), response_deviations=(9, 9, 9)),
        Measured(step=50, arm=name, split="test", loss=1, error=error),
        Diagnosed(step=50, arm=name, layers=("a", "b", "c"), gradient_norms=gradients, response_deviations=responses),
    ]


def test_each_figure_is_read_from_the_latest_numbers() -> None:
    events = of_arm("plain8-s0", 1.8, 0.625, (0.09, 1, 1), (1, 2, 3)) + of_arm(
        "residual8-s0", 1.5, 0.5, (0.5, 1, 1), (0.5, 2.5, 0.6)
    )
    assert readings(CONFIG, events) == {
        "loss": "At step 40 it is 1.80 for plain-8 and 1.50 for residual-8.",
        "error": "When last measured, plain-8 had 62.5 % of them wrong, residual-8 50.0 %.",
        "gradient": "In the first layer, the gradient of plain-8 is 0.18 times that of residual-8.",
        "response": "2 of the 3 layers respond less in residual-8 than in plain-8; on average 1.20 against 2.00.",
    }


@pytest.mark.parametrize("number", [math.nan, math.inf])
@pytest.mark.parametrize("diverged", ["plain", "residual"])
def test_nothing_is_read_from_layers_whose_numbers_are_not_finite(diverged: str, number: float) -> None:
    other = "residual" if diverged == "plain" else "plain"
    fine = of_arm(f"{other}8-s0", 1.5, 0.5, (0.5, 1, 1), (1, 1, 1))
    everywhere = of_arm(f"{diverged}8-s0", 1.8, 0.9, (number, 1, 1), (1, number, 3))
    assert readings(CONFIG, fine + everywhere).keys() == {"loss", "error"}
    of_the_gradient = of_arm(f"{diverged}8-s0", 1.8, 0.9, (number, 1, 1), (1, 2, 3))
    assert readings(CONFIG, fine + of_the_gradient).keys() == {"loss", "error", "response"}


def test_nothing_is_said_before_it_is_measured_or_of_networks_that_are_no_pair() -> None:
    assert readings(CONFIG, []) == {}
    events = of_arm("plain8-s0", 1.8, 0.6, (0, 1, 1), (1, 2, 3)) + of_arm("residual8-s0", 1.5, 0.5, (0, 1, 1), (1, 1, 1))
    assert "gradient" not in readings(CONFIG, events)  # without a gradient there is no ratio
    more = tuple(arm.model_copy(update={"name": arm.name.replace("0", "1"), "seed": 1}) for arm in ARMS)
    assert readings(CONFIG.model_copy(update={"arms": (*ARMS, *more)}), events)["loss"].startswith("First seed: At step 40")
    alone = CONFIG.model_copy(update={"arms": ARMS[:1]})
    assert readings(alone, of_arm("plain8-s0", 1.8, 0.6, (1, 1, 1), (1, 2, 3))) == {}
    deeper = ArmConfig(name="residual-14", model=ModelConfig(depth=14))
    assert readings(CONFIG.model_copy(update={"arms": (ARMS[0], deeper)}), []) == {}
