"""The lab's settings: what may be chosen, and the run that follows from it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from resnet_demo.comparison import (
    PRESETS,
    LabSettings,
    comparison,
    default_title,
    from_outside,
    settings_of,
    steps_of,
    steps_per_epoch,
    training_images,
)
from resnet_demo.config import OptimizerConfig, RunConfig
from resnet_demo.errors import SettingError
from resnet_demo.parsing import parse


def test_the_defaults_are_the_first_preset() -> None:
    assert list(PRESETS) == [
        "One minute: depth 32", "Degradation: 20 against 56", "Very deep: 110", "Without batch norm", "The paper's recipe"
    ]  # fmt: skip
    assert PRESETS["One minute: depth 32"].settings == LabSettings()


def test_a_preset_is_listed_by_its_title_and_says_what_to_look_for() -> None:
    for title, preset in PRESETS.items():
        assert preset.title == title
        assert preset.look_for.endswith(".")
        assert default_title(preset.settings) == title


def test_every_setting_has_a_sentence_of_help_and_a_default() -> None:
    for name, field in LabSettings.model_fields.items():
        assert not field.is_required(), name
        assert field.description, name
        assert field.description.endswith("."), name


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_makes_a_run_that_can_be_written_read_and_repeated(name: str) -> None:
    config = comparison(PRESETS[name].settings)
    assert config.title == name
    assert parse(RunConfig, config.model_dump_json()) == config
    again = settings_of(config)
    assert again is not None
    assert comparison(again) == config


def test_a_run_of_the_command_line_is_no_comparison() -> None:
    config = comparison(LabSettings())
    reflected = config.data.model_copy(update={"padding": "reflect"})
    assert settings_of(config.model_copy(update={"data": reflected})) is None
    assert settings_of(config.model_copy(update={"arms": config.arms[:1]})) is None
    assert settings_of(config.model_copy(update={"optimizer": OptimizerConfig(name="muon")})) is None


@pytest.mark.parametrize("often", ["evaluate_every", "log_every", "diagnose_every", "checkpoint_every"])
def test_a_run_of_which_more_or_less_was_told_is_the_same_comparison(often: str) -> None:
    settings = LabSettings(depth=20, seed=4)
    assert settings_of(comparison(settings).model_copy(update={often: 7})) == settings


def test_arms_are_named_by_kind_depth_and_seed_and_share_all_else() -> None:
    config = comparison(LabSettings(depth=20, other_depth=8, seeds=2, seed=5, width=8, shortcut="B", batch_norm=False))
    assert [arm.name for arm in config.arms] == [
        "plain8-s5", "residual8-s5", "plain20-s5", "residual20-s5", "plain8-s6", "residual8-s6", "plain20-s6", "residual20-s6"
    ]  # fmt: skip
    for arm in config.arms:
        assert (arm.model.width, arm.model.shortcut, arm.model.batch_norm) == (8, "B", False)
        assert arm.model.residual == arm.name.startswith("residual")


def test_only_the_residual_networks_have_scaled_shortcuts_and_an_older_run_has_the_papers() -> None:
    settings = LabSettings(depth=8, other_depth=20, shortcut_scale=0.5)
    run = comparison(settings)
    assert {(arm.model.residual, arm.model.shortcut_scale) for arm in run.arms} == {(False, 1.0), (True, 0.5)}
    assert settings_of(run) == settings
    assert run.title == "Plain and residual, depth 8 and 20, α = 0.5"
    older = json.loads(comparison(LabSettings()).model_dump_json())
    for arm in older["arms"]:
        del arm["model"]["shortcut_scale"]
    assert parse(RunConfig, json.dumps(older)) == comparison(LabSettings())
    with pytest.raises(SettingError, match="shortcut_scale"):
        from_outside({"shortcut_scale": 1.1})


def test_the_default_run_is_what_was_measured_to_part_within_a_minute() -> None:
    config = comparison(LabSettings())
    data = config.data
    assert (config.steps, config.batch, data.source, data.image_size, data.augment) == (400, 64, "bundled", 16, False)
    assert config.optimizer.warmup * config.steps == pytest.approx(20)
    assert (
        config.steps // config.evaluate_every * 1_000 / (config.steps * config.batch) < 0.7
    )  # test pictures a training picture


@pytest.mark.parametrize("steps", [1, 2, 3, 10, 239, 64_000, 100_000])
@pytest.mark.parametrize("data", ["bundled", "cifar10"])
def test_points_and_checkpoints_are_neither_missing_nor_endless(steps: int, data: str) -> None:
    config = comparison(LabSettings(steps=steps, warmup=0, data=data))
    assert 1 <= config.log_every <= 25
    assert 1 <= steps / config.evaluate_every <= 41
    assert 1 <= config.diagnose_every <= 250
    assert 10 <= config.checkpoint_every <= 500


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"depth": 33}, "depth must be 6n + 2"),
        ({"depth": 116}, "depth: should be at least 8 and at most 110 (given: '116')."),
        ({"other_depth": 7}, "other_depth must be 6n + 2"),
        ({"other_depth": 32}, "other_depth must differ from depth (32)"),
        ({"image_size": 224}, "image_size: should be 32 or 16"),
        ({"steps": 0}, "steps: should be at least 1 and at most 100000 (given: '0')."),
        ({"epochs": -1}, "epochs: should be at least 0 and at most 10000 (given: '-1')."),
        ({"epochs": float("nan")}, "epochs: "),
        (
            {"epochs": 7_000, "batch": 4},
            "epochs: 7000 epochs in batches of 4 are 7,000,000 steps; at most 100,000 can be trained.",
        ),
        ({"epochs": 0.5}, "warmup: 0.5 epochs in batches of 64 are 31 steps, of which it must be at most half, not 20."),
        ({"steps": 10}, "warmup must be at most half of the 10 steps, not 20"),
        ({"seeds": 6}, "seeds: should be at least 1 and at most 5"),
        ({"learning_rate": float("nan")}, "learning_rate: "),
        ({"learning_rate": float("inf")}, "learning_rate: "),
        ({"learning_rate": True}, "learning_rate: "),
        ({"batch": 64.0}, "batch: "),
        ({"batch": "64"}, "batch: "),
        ({"batch": None}, "batch: "),
        ({"schedule": "random"}, "schedule: "),
        ({"augment": 1}, "augment: "),
        ({"surprise": 1}, "surprise: "),
        ({"data": "/etc"}, "data: must be one of bundled, cifar10 (given: '/etc')."),
        ({"data": "bundled/../.."}, "data: must be one of"),
    ],
)
def test_what_a_visitor_may_not_set_is_refused_by_name(values: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError) as refused:
        from_outside(values)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    ("settings", "steps"),
    [
        ({"steps": 100}, 100),
        ({"epochs": 3}, 186),  # 62 whole batches of 64 in 4,000 pictures
        ({"epochs": 1.5, "steps": 7, "warmup": 2}, 93),
        ({"epochs": 2, "batch": 128, "data": "cifar10"}, 780),  # 390 in 50,000
        ({"epochs": 0.001, "warmup": 0}, 1),
    ],
)
def test_epochs_are_passes_over_the_training_pictures_and_go_before_steps(settings: dict[str, Any], steps: int) -> None:
    parsed = from_outside(settings)
    assert steps_of(parsed) == comparison(parsed).steps == steps
    again = settings_of(comparison(parsed))
    assert again is not None
    assert (again.steps, again.epochs) == (steps, 0)


def test_the_bundled_pictures_are_as_many_as_the_lab_says() -> None:
    from resnet_demo.config import DataConfig
    from resnet_demo.data import dataset

    assert len(dataset.load(DataConfig()).train) == training_images(LabSettings())


def test_a_folders_epoch_passes_over_its_training_pictures(picture_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from resnet_demo.config import DataConfig
    from resnet_demo.data import dataset

    monkeypatch.setenv("RESNET_DEMO_DATA", str(picture_folder))
    settings = from_outside({"data": str(picture_folder), "batch": 5, "epochs": 4, "warmup": 0})
    train = dataset.load(DataConfig(source=str(picture_folder), image_size=16)).train
    assert (training_images(settings), steps_per_epoch(settings)) == (len(train), len(train) // 5)
    assert comparison(settings).steps == 4 * (len(train) // 5)


def test_settings_come_as_json_too() -> None:
    assert from_outside(json.dumps({"depth": 20, "seeds": 2})) == LabSettings(depth=20, seeds=2)
    with pytest.raises(SettingError):
        from_outside("{not json")


def test_a_folder_may_be_trained_on_only_if_the_operator_named_it(
    picture_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"data": str(picture_folder)}
    with pytest.raises(SettingError, match="data: must be one of"):
        from_outside(values)
    monkeypatch.setenv("RESNET_DEMO_DATA", str(picture_folder))
    config = comparison(from_outside(values))
    assert {arm.model.classes for arm in config.arms} == {3}
    with pytest.raises(SettingError):
        from_outside({"data": str(picture_folder.parent)})
