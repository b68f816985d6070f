"""The recipes: the paper's is section 4.2 to the letter, every setting of both is an option that can be replaced."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_demo.__main__ import main
from resnet_demo.config import DataConfig, OptimizerConfig
from resnet_demo.parsing import parse
from resnet_demo.recipes import RECIPES, share_of_paper
from resnet_demo.training.assemble import plan_of
from resnet_demo.training.record import Record


@pytest.mark.parametrize("name", RECIPES)
def test_every_setting_of_a_recipe_is_allowed_and_its_length_is_said_once(name: str) -> None:
    recipe = RECIPES[name]
    parse(DataConfig, recipe.data)
    parse(OptimizerConfig, recipe.optimizer)
    assert (recipe.steps is None) != (recipe.epochs is None)


def recorded(tmp_path: Path, *options: str) -> Record:
    """The run of one step that `train` makes with these options on the bundled pictures."""
    data = ("--data", "bundled", "--steps", "1", "--precision", "fp32", "--arch", "resnet8", "--width", "4", "--batch", "4")
    assert main(["train", *data, *options, "--out", str(tmp_path / "run"), "--json"]) == 0
    return Record(tmp_path / "run")


def test_the_papers_recipe_is_section_4_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = recorded(tmp_path, "--recipe", "paper", "--held-out", "500").config
    whole = config.model_copy(update={"steps": RECIPES["paper"].steps})
    rate = plan_of(whole).learning_rate
    assert [rate(step) for step in (0, 31_999, 32_000, 47_999, 48_000, 63_999)] == pytest.approx(
        [0.1, 0.1, 0.01, 0.01, 0.001, 0.001]
    )
    assert (config.optimizer.momentum, config.optimizer.weight_decay, config.optimizer.decay) == (0.9, 1e-4, "all")
    assert not config.optimizer.nesterov
    assert (config.data.augment, config.data.padding, config.data.mirror) == (True, "mean", "random")
    assert RECIPES["paper"].data["held_out"] == 5_000
    assert RECIPES["paper"].run == {"batch": 128}
    capsys.readouterr()


def test_an_option_beside_a_recipe_replaces_its_own_setting_only(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = recorded(tmp_path, "--recipe", "fast", "--learning-rate", "0.05", "--half-size", "0").config
    assert config.optimizer.learning_rate == 0.05
    assert config.data.half_size == 0
    assert config.data.three_quarter_size == RECIPES["fast"].data["three_quarter_size"]
    assert config.optimizer.schedule == "triangle"
    assert config.batch == 4
    capsys.readouterr()


def test_the_paper_trains_on_8_192_000_pictures() -> None:
    assert share_of_paper(64_000, 128) == 1
    assert share_of_paper(240, 64) == pytest.approx(15_360 / 8_192_000)
