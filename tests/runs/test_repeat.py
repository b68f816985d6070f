"""A run once more."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from resnet_demo.comparison import LabSettings, comparison
from resnet_demo.errors import DataError, SettingError
from resnet_demo.runs.repeat import repeat_config
from resnet_demo.transfer.settings import TransferSettings, transfer_run
from tests.tiny import tiny_run


def test_a_run_again_is_the_same_run() -> None:
    config = comparison(LabSettings(depth=8, seed=3, epochs=2), "A title of its own")
    assert repeat_config(config, other_seed=False) == config


def test_other_seeds_are_those_that_the_run_did_not_use() -> None:
    config = comparison(LabSettings(depth=8, seed=3, seeds=2))
    again = repeat_config(config, other_seed=True)
    assert [arm.seed for arm in again.arms] == [5, 5, 6, 6]
    assert again.model_copy(update={"arms": config.arms}) == config


def test_after_the_last_seed_comes_the_first() -> None:
    again = repeat_config(comparison(LabSettings(seed=1_000_000)), other_seed=True)
    assert {arm.seed for arm in again.arms} == {0}


def test_a_run_of_the_command_line_is_not_started_from_the_page(picture_folder: Path) -> None:
    with pytest.raises(SettingError, match="no comparison of the lab"):
        repeat_config(tiny_run(picture_folder), other_seed=False)


def test_data_that_are_allowed_no_more_are_not_trained_on_again(picture_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = comparison(LabSettings(data=str(picture_folder), batch=4))
    monkeypatch.setenv("RESNET_DEMO_DATA", str(picture_folder))
    assert repeat_config(config, other_seed=False) == config
    monkeypatch.delenv("RESNET_DEMO_DATA")
    with pytest.raises(SettingError, match="data: must be one of"):
        repeat_config(config, other_seed=False)


def test_a_run_whose_data_were_moved_says_so(picture_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = shutil.copytree(picture_folder, tmp_path / "colours")
    monkeypatch.setenv("RESNET_DEMO_DATA", str(folder))
    config = comparison(LabSettings(data=str(folder), batch=4))
    folder.rename(tmp_path / "elsewhere")
    with pytest.raises(DataError, match="There is no data set"):
        repeat_config(config, other_seed=False)


def test_a_run_that_was_told_of_less_often_is_repeated_as_such_runs_are_now() -> None:
    config = comparison(LabSettings(depth=8))
    assert repeat_config(config.model_copy(update={"log_every": 9}), other_seed=False) == config


def test_a_transfer_is_repeated_with_the_next_seed_from_data_that_ship_only(picture_folder: Path) -> None:
    config = transfer_run(TransferSettings(seed=4))
    assert repeat_config(config, other_seed=False) == config
    assert [arm.seed for arm in repeat_config(config, other_seed=True).arms] == [5]
    with pytest.raises(SettingError, match="data: must be one of"):
        repeat_config(transfer_run(TransferSettings(data=str(picture_folder))), other_seed=False)
