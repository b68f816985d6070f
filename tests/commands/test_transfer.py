"""`transfer` on the command line: its result is a model that `classify`, `evaluate` and `publish` take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resnet_demo.__main__ import main
from resnet_demo.zoo import catalogue

KEYS = {
    "base", "data", "train_accuracy", "validation_accuracy", "test_accuracy", "precision", "recall", "f1", "confusion", "seconds",
    "baselines",
}  # fmt: skip


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("transfer") / "run"


def test_it_prints_what_the_design_names_and_leaves_a_model(
    out: Path, picture_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--base", "resnet20-cifar10", "--data", str(picture_folder), "--out", str(out), "--json"]
    options += ["--epochs", "30", "--learning-rate", "0.01", "--image-size", "16", "--hidden", "8", "--precision", "fp32"]
    assert main(["transfer", *options]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result.keys() >= KEYS
    assert (result["base"], result["data"]) == ("resnet20-cifar10", str(picture_folder))
    assert [sorted(baseline)[-1] for baseline in result["baselines"]] == ["test_accuracy"] * 2
    assert result["test_accuracy"] == 1  # three colours
    assert result["paper"] == []  # it has none for these pictures
    assert main(["evaluate", "--model", str(out), "--data", str(picture_folder), "--json"]) == 0
    measured = json.loads(capsys.readouterr().out)
    assert {name: measured[name] for name in ("accuracy", "confusion")} == {
        "accuracy": result["test_accuracy"], "confusion": result["confusion"],
    }  # fmt: skip
    picture = picture_folder / "green" / "004.png"
    assert main(["classify", str(picture), "--model", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["predictions"][0]["label"] == "green"
    assert catalogue.model_in(out) == out / "arms" / "transfer"
    card = (out / "arms" / "transfer" / "README.md").read_text()
    assert "python -m resnet_demo transfer --base resnet20-cifar10" in card
    assert "--epochs 30" in card


def test_a_finished_transfer_is_printed_again_and_goes_on_with_its_own_settings_only(
    out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["transfer", "--resume", "--out", str(out), "--json", "--epochs", "30"]) == 0
    assert json.loads(capsys.readouterr().out)["test_accuracy"] == 1
    assert main(["transfer", "--resume", "--out", str(out), "--epochs", "31"]) == 2
    assert "--epochs 31 (recorded: 30)" in capsys.readouterr().err


def test_a_base_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transfer", "--base", "no-such-model", "--out", str(tmp_path / "run")]) == 1
    assert "There is no model 'no-such-model'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
