"""A run once more."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_demo.errors import SettingError
from resnet_demo.lab import LabSettings, comparison
from resnet_demo.training.repeat import repeated
from tests.tiny import tiny_run


def test_a_run_again_is_the_same_run() -> None:
    config = comparison(LabSettings(depth=8, seed=3, epochs=2), "A title of its own")
    assert repeated(config, other_seed=False) == config


def test_other_seeds_are_those_that_the_run_did_not_use() -> None:
    config = comparison(LabSettings(depth=8, seed=3, seeds=2))
    again = repeated(config, other_seed=True)
    assert [arm.seed for arm in again.arms] == [5, 5, 6, 6]
    assert again.model_copy(update={"arms": config.arms}) == config


def test_after_the_last_seed_comes_the_first() -> None:
    again = repeated(comparison(LabSettings(seed=1_000_000)), other_seed=True)
    assert {arm.seed for arm in again.arms} == {0}


def test_a_run_of_the_command_line_is_not_started_from_the_page(picture_folder: Path) -> None:
    with pytest.raises(SettingError, match="no comparison of the lab"):
        repeated(tiny_run(picture_folder), other_seed=False)


def test_data_that_are_allowed_no_more_are_not_trained_on_again(picture_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = comparison(LabSettings(data=str(picture_folder), batch=4))
    monkeypatch.setenv("RESNET_DEMO_DATA", str(picture_folder))
    assert repeated(config, other_seed=False) == config
    monkeypatch.delenv("RESNET_DEMO_DATA")
    with pytest.raises(SettingError, match="data: must be one of"):
        repeated(config, other_seed=False)
