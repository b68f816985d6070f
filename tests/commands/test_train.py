"""`train` from the command line: what it prints, what it leaves, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from resnet_demo.__main__ import main
from resnet_demo.training.events import RunFinished, RunStarted, from_line, to_line
from resnet_demo.training.record import Record
from resnet_demo.zoo import folder as model_folder

Output = pytest.CaptureFixture[str]
TINY = ("--arch", "resnet8", "--width", "4", "--image-size", "16", "--batch", "8", "--precision", "fp32")


def train(folder: Path, out: Path, *more: str) -> int:
    return main(["train", *TINY, "--data", str(folder), "--out", str(out), *more])


def test_a_run_prints_for_people_on_standard_error_and_leaves_record_and_weights(
    picture_folder: Path, tmp_path: Path, capsys: Output
) -> None:
    assert train(picture_folder, tmp_path / "run", "--steps", "5", "--plain", "--seed", "3") == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert "step 5: plain8: test error " in err
    config = Record(tmp_path / "run").config
    assert [(arm.name, arm.seed, arm.model.residual, arm.model.classes) for arm in config.arms] == [("plain8", 3, False, 3)]
    assert model_folder.load(tmp_path / "run" / "arms" / "plain8").classes == ("blue", "green", "red")


def test_json_is_the_record_line_by_line(picture_folder: Path, tmp_path: Path, capsys: Output) -> None:
    assert train(picture_folder, tmp_path / "run", "--steps", "4", "--json") == 0
    lines = capsys.readouterr().out.splitlines(keepends=True)
    assert [from_line(line) for line in lines] == Record(tmp_path / "run").read()[0]
    assert "".join(lines).encode() == b"".join(to_line(from_line(line)) for line in lines)


def test_epochs_are_passes_over_the_training_pictures(picture_folder: Path, tmp_path: Path) -> None:
    assert train(picture_folder, tmp_path / "run", "--epochs", "2", "--json") == 0
    assert Record(tmp_path / "run").config.steps == 6  # 24 training pictures in batches of 8


def test_a_run_goes_on_with_resume_and_is_not_overwritten_without(picture_folder: Path, tmp_path: Path, capsys: Output) -> None:
    out = tmp_path / "run"
    assert train(picture_folder, out, "--steps", "5", "--json") == 0
    capsys.readouterr()
    assert train(picture_folder, out, "--steps", "5") == 1
    assert "already holds a run" in capsys.readouterr().err
    assert main(["train", "--out", str(out), "--resume", "--json"]) == 0
    events = [from_line(line) for line in capsys.readouterr().out.splitlines()]
    assert isinstance(events[0], RunStarted)
    assert events[0].step == 5
    assert isinstance(events[-1], RunFinished)


@pytest.mark.parametrize(
    ("more", "status", "told"),
    [
        (("--arch", "resnet21"), 2, "depth"),
        (("--arch", "vgg16"), 2, "There is no architecture 'vgg16'"),
        (("--steps", "0"), 2, "steps: should be at least 1"),
        (("--learning-rate", "-1"), 2, "learning_rate: should be more than 0"),
        (("--batch", "0"), 2, "batch: should be at least 2 and at most 1024"),
        (("--seed", "-1"), 2, "seed: should be at least 0"),
        (("--epochs", "nan"), 2, "epochs: should be"),
        (("--epochs", "inf"), 2, "epochs: should be"),
        (("--epochs", "0"), 2, "epochs: should be more than 0"),
        (("--evaluate-epochs", "nan"), 2, "evaluate_epochs: should be"),
        (("--data", "nowhere"), 1, "There is no data set 'nowhere'"),
    ],
)
def test_what_cannot_be_trained_ends_in_one_sentence(
    picture_folder: Path, tmp_path: Path, capsys: Output, more: tuple[str, ...], status: int, told: str
) -> None:
    assert train(picture_folder, tmp_path / "run", *more) == status
    err = capsys.readouterr().err
    assert err.startswith("resnet_demo: ")
    assert told in err
    assert not (tmp_path / "run").exists()


def test_a_run_that_fails_has_a_status_of_its_own(picture_folder: Path, tmp_path: Path, capsys: Output) -> None:
    out = tmp_path / "run"
    assert train(picture_folder, out, "--steps", "3", "--json") == 0
    (out / "checkpoint.pt").write_bytes(b"damaged")
    capsys.readouterr()
    assert main(["train", "--out", str(out), "--resume", "--json"]) == 1
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["kind"] == "failed"
    assert "is damaged" in last["reason"]
