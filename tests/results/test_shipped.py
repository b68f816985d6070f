"""What the Paper tab shows of this project is what lies in weights/."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import pytest

from resnet_demo.__main__ import parser
from resnet_demo.commands.settings import settings_of
from resnet_demo.config import ArmConfig, DataConfig, ModelConfig, OptimizerConfig, RunConfig
from resnet_demo.parsing import parse
from resnet_demo.results.card import differences_from_paper, differences_on
from resnet_demo.results.shipped import POINTS, ShippedModel, _responses, curves, shipped_models
from resnet_demo.training.events import Event, Measured, Resized, RunStarted, TrainingPoint, to_line
from resnet_demo.zoo.catalogue import SHIPPED

STARTED = RunStarted(
    time="", steps=40, steps_per_epoch=10, device="cpu", precision="fp32", threads=1, torch="2", parameters={"a": 1}
)


def record(*events: Event) -> str:
    return b"".join(map(to_line, events)).decode()


def point(step: int, error: float) -> TrainingPoint:
    return TrainingPoint(step=step, arm="a", loss=1.0, error=error, learning_rate=0.1)


def measured(step: int, error: float) -> Measured:
    return Measured(step=step, arm="a", split="test", loss=1.0, error=error)


def test_each_models_error_is_one_minus_the_accuracy_of_its_config() -> None:
    models = shipped_models()
    assert {model.name for model in models} >= {"plain20-cifar10", "resnet20-cifar10"}
    for model in models:
        config = json.loads((SHIPPED / model.name / "config.json").read_text())
        assert model.test_error == pytest.approx(100 * (1 - config["test_accuracy"]))
        assert model.config.model_dump().items() >= config["architecture"].items()  # which may be older than a setting
        if model.curves is not None:  # the run measures in the number format that it trains in
            assert model.curves.test[-1][1] == pytest.approx(model.test_error, abs=0.2)


@pytest.mark.parametrize("model", shipped_models(), ids=lambda model: model.name)
def test_what_a_card_says_differs_from_the_paper_is_what_its_command_trains(model: ShippedModel) -> None:
    card = (SHIPPED / model.name / "README.md").read_text()
    command = re.search(r"python -m resnet_demo (train .*)", card)
    assert command and model.differences, f"{model.name}: its card does not say how it was trained, or what differs"
    options = parser().parse_args(shlex.split(command[1]))
    arm = ArmConfig(name="a", model=ModelConfig.named(options.arch, residual=model.config.residual))
    run = RunConfig(
        arms=(arm,), steps=options.steps, data=parse(DataConfig, {"source": options.data} | settings_of(options, DataConfig)),
        optimizer=parse(OptimizerConfig, settings_of(options, OptimizerConfig)),
    )  # fmt: skip
    assert differences_on(card) == "; ".join(differences_from_paper(arm, run, options.steps, "CIFAR-10"))


def test_every_model_that_ships_was_trained_for_fewer_iterations_than_the_papers() -> None:
    for model in shipped_models():
        length = re.match(r"([\d,]+) iterations, not 64,000", model.differences)
        assert length and int(length[1].replace(",", "")) < 64_000, model.name


def test_a_damaged_file_of_responses_leaves_the_model_without_them(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert _responses(tmp_path / "responses.json") == ()
    (tmp_path / "responses.json").write_text("{")
    assert _responses(tmp_path / "responses.json") == ()
    assert "is damaged" in caplog.text


def test_curves_are_means_of_neighbours_in_percent() -> None:
    drawn = curves(
        record(STARTED, *(point(step, step / 1000) for step in range(1, 241)), measured(10, 0.5), measured(240, 0.25))
    )
    assert drawn is not None
    assert len(drawn.training) == POINTS
    assert drawn.training[0] == (2, 0.15)
    assert drawn.test == ((10, 50.0), (240, 25.0))
    assert (drawn.steps_per_epoch, drawn.full_size_from) == (10, 0)


def test_smaller_pictures_are_named_by_the_step_of_the_last_change() -> None:
    drawn = curves(
        record(STARTED, Resized(step=0, side=16), point(1, 0.5), measured(1, 0.5), Resized(step=20, side=32), measured(40, 0.2))
    )
    assert drawn is not None
    assert drawn.full_size_from == 20


def test_a_record_that_measured_once_or_is_damaged_is_not_drawn() -> None:
    assert curves(record(STARTED, point(1, 0.5), measured(40, 0.2))) is None
    assert curves("") is None
    assert curves("{}\n" + record(STARTED, point(1, 0.5), measured(1, 0.5), measured(40, 0.2))) is None
