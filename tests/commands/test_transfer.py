"""`transfer` on the command line: its result is a model that `classify`, `evaluate` and `publish` take."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from resnet_demo.__main__ import main
from resnet_demo.training.record import RecordWriter
from resnet_demo.transfer.settings import TransferSettings, transfer_run
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


@pytest.fixture
def base(out: Path, tmp_path: Path) -> Path:
    """A model folder that a test may delete."""
    return shutil.copytree(out / "arms" / "transfer", tmp_path / "my-base")


def test_a_transfer_goes_on_with_its_base_only_and_says_so_where_that_is_gone(
    base: Path, picture_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    begun = tmp_path / "begun"
    settings = TransferSettings(base=str(base), data=str(picture_folder), image_size=16, precision="fp32")
    with RecordWriter(begun, transfer_run(settings, allow_paths=True), resume=False):
        pass
    before = {path: path.read_bytes() for path in begun.rglob("*") if path.is_file()}
    resume = ["transfer", "--resume", "--out", str(begun)]
    for other in ("resnet20-cifar10", "no-such-model", str(tmp_path)):
        assert main([*resume, "--base", other]) == 1
        assert f"began with the base {base}, not {other}: leave --base out" in capsys.readouterr().err
    shutil.rmtree(base)
    for again in (resume, [*resume, "--base", str(base)], [*resume, "--epochs", "5"]):
        assert main(again) == 1
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith(
            f"resnet_demo: The base {base} of the run in {begun} is no longer here: put it back and resume again"
        )
    assert {path: path.read_bytes() for path in begun.rglob("*") if path.is_file()} == before


def test_a_base_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["transfer", "--base", "no-such-model", "--out", str(tmp_path / "run")]) == 1
    assert "There is no model 'no-such-model'" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
