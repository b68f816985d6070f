"""`compare`: the lab without the page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resnet_demo import files
from resnet_demo.__main__ import main
from resnet_demo.comparison import LabSettings, comparison
from resnet_demo.runs.permissions import RUN_ID
from resnet_demo.runs.service import RunService
from resnet_demo.training.record import Record
from tests.runs.stand_in import StandIn

Output = pytest.CaptureFixture[str]
TINY = ("compare", "--depth", "8", "--width", "4", "--image-size", "16", "--batch", "8", "--warmup", "0", "--precision", "fp32")


def test_json_is_one_value_with_the_config_and_a_row_for_each_arm(picture_folder: Path, tmp_path: Path, capsys: Output) -> None:
    more = ("--steps", "4", "--seed", "2", "--seeds", "2", "--data", str(picture_folder), "--out", str(tmp_path / "run"))
    assert main([*TINY, *more, "--json"]) == 0
    out, err = capsys.readouterr()
    found = json.loads(out)
    assert [arm["name"] for arm in found["arms"]] == ["plain8-s2", "residual8-s2", "plain8-s3", "residual8-s3"]
    assert all(arm["steps"] == 4 and arm["train_loss"] > 0 and 0 <= arm["test_error"] <= 1 for arm in found["arms"])
    assert found["config"] == json.loads((tmp_path / "run" / "config.json").read_text())
    assert str(tmp_path / "run") in err
    wanted = LabSettings(
        depth=8, width=4, image_size=16, batch=8, warmup=0, precision="fp32", steps=4, seed=2, seeds=2, data=str(picture_folder)
    )
    assert Record(tmp_path / "run").config == comparison(wanted)


def test_without_a_folder_the_run_joins_those_of_the_page(picture_folder: Path, capsys: Output) -> None:
    lab = RunService(files.home(), StandIn())
    before = {state.id for state in lab.runs()}
    assert main([*TINY, "--steps", "2", "--data", str(picture_folder)]) == 0
    new = [state for state in lab.runs() if state.id not in before]
    assert len(new) == 1
    assert RUN_ID.fullmatch(new[0].id)
    assert (new[0].status, new[0].step, new[0].yours) == ("finished", 2, False)
    out = capsys.readouterr().out.splitlines()
    assert out[0].split() == ["network", "steps", "train", "loss", "test", "error,", "%"]
    assert [line.split()[0] for line in out[1:3]] == ["plain8-s0", "residual8-s0"]
    assert out[3].startswith("After 2 steps the plain-8 network's training loss is ")


def test_resume_goes_on_with_the_runs_own_settings(picture_folder: Path, tmp_path: Path, capsys: Output) -> None:
    out = ("--out", str(tmp_path / "run"))
    assert main([*TINY, "--steps", "3", "--data", str(picture_folder), *out]) == 0
    assert main(["compare", "--resume", *out, "--json"]) == 0
    assert json.loads(capsys.readouterr().out.split("\n{", 1)[1].join(["{", ""]))["config"]["steps"] == 3
    assert main([*TINY, "--steps", "3", "--resume", *out]) == 0  # the same options as before
    assert "is finished: all its 3 steps are trained." in capsys.readouterr().err
    assert main(["compare", "--depth", "14", "--steps", "4", "--resume", *out]) == 2
    assert "--depth 14 (recorded: 8), --steps 4 (recorded: 3)." in capsys.readouterr().err
    assert main(["compare", "--resume"]) == 2
    assert "--resume needs --out" in capsys.readouterr().err


@pytest.mark.parametrize(("option", "value"), [("--depth", "9"), ("--seeds", "6"), ("--steps", "0"), ("--width", "1")])
def test_a_setting_out_of_range_is_named(tmp_path: Path, capsys: Output, option: str, value: str) -> None:
    assert main([*TINY, option, value, "--out", str(tmp_path / "run")]) == 2
    assert option.removeprefix("--") in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
