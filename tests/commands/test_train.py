"""`train` from the command line: what it prints, what it leaves, and what it refuses."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from resnet_demo.__main__ import main, parser
from resnet_demo.commands.train import run_config
from resnet_demo.config import DataConfig
from resnet_demo.data import dataset
from resnet_demo.training import distributed, session
from resnet_demo.training.events import (
    CheckpointSaved,
    RunFailed,
    RunFinished,
    RunPaused,
    RunStarted,
    from_line,
    to_line,
)
from resnet_demo.training.record import Record
from resnet_demo.zoo import folder as model_folder
from tests.tiny import ENVIRONMENT

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


def test_where_no_compiler_works_a_run_that_asks_for_one_ends_with_a_sentence(picture_folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "resnet_demo", "train", *TINY, "--data", str(picture_folder), "--steps", "5", "--compile"]
    nothing = {"CXX": "nowhere-to-be-found", "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "cache")}  # nor compiled before
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "run")], env=ENVIRONMENT | nothing, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 1
    assert "torch.compile does not work here (" in done.stderr
    assert "); on a CPU it needs a C++ compiler and Python's headers." in done.stderr
    assert "Traceback" not in done.stderr
    assert isinstance(Record(tmp_path / "run").events()[-1], RunFailed)


def test_epochs_are_passes_over_the_training_pictures(picture_folder: Path, tmp_path: Path) -> None:
    assert train(picture_folder, tmp_path / "run", "--epochs", "2", "--json") == 0
    assert Record(tmp_path / "run").config.steps == 6  # 24 training pictures in batches of 8


def test_a_run_goes_on_with_resume_and_is_not_overwritten_without(picture_folder: Path, tmp_path: Path, capsys: Output) -> None:
    out = tmp_path / "run"
    pause(picture_folder, out, after=5)
    assert train(picture_folder, out, "--steps", "9") == 1
    assert "already holds a run" in capsys.readouterr().err
    assert train(picture_folder, out, "--steps", "9", "--resume", "--json") == 0  # the command of the run, once more
    events = [from_line(line) for line in capsys.readouterr().out.splitlines()]
    assert isinstance(events[0], RunStarted)
    assert events[0].step == 5
    assert isinstance(events[-1], RunFinished)


def pause(data: Path, out: Path, after: int) -> None:
    """A run of nine steps, paused after some of them."""
    config = run_config(parser().parse_args(["train", *TINY, "--data", str(data), "--out", str(out), "--steps", "9"]))
    answers = iter(["go on"] * (after - 1) + ["pause"])
    assert isinstance(list(session.run(config, out, request=lambda: next(answers)))[-1], RunPaused)  # type: ignore[arg-type]


def test_a_finished_run_is_not_resumed_and_says_that_it_is_finished(
    picture_folder: Path, tmp_path: Path, capsys: Output
) -> None:
    out = tmp_path / "run"
    assert train(picture_folder, out, "--epochs", "2") == 0
    record, before = Record(out), (out / "events.jsonl").read_bytes()
    capsys.readouterr()
    assert main(["train", "--out", str(out), "--resume"]) == 0
    assert capsys.readouterr().err == f"The run in {out} is finished: all its 6 steps are trained.\n"
    assert train(picture_folder, out, "--epochs", "2", "--resume") == 0  # the command of the run, once more
    assert (record.folder / "events.jsonl").read_bytes() == before


@pytest.fixture(scope="module")
def paused(picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("paused") / "run"
    pause(picture_folder, folder, after=5)
    return folder


@pytest.mark.parametrize(
    ("more", "difference"),
    [
        (("--steps", "800"), "--steps 800 (recorded: 9)"),
        (("--epochs", "2"), "--epochs 2.0 (recorded: 9 steps)"),
        (("--evaluate-epochs", "1"), "--evaluate-epochs 1.0 (recorded: 0 steps)"),
        (("--arch", "resnet14"), "--arch resnet14 (recorded: resnet8)"),
        (("--plain",), "--arch resnet8 --plain (recorded: resnet8)"),
        (("--data", "bundled"), "--data bundled (recorded: "),
        (("--no-augment", "--seed", "1"), "--seed 1 (recorded: 0), --no-augment (recorded: True)"),
        (("--learning-rate", "0.5"), "--learning-rate 0.5 (recorded: 0.1)"),
        (("--batch", "9"), "--batch 9 (recorded: 8)"),
    ],
)
def test_a_resumed_run_refuses_options_that_differ_from_its_record(
    paused: Path, capsys: Output, more: tuple[str, ...], difference: str
) -> None:
    out = paused
    before = (out / "events.jsonl").read_bytes()
    assert main(["train", "--out", str(out), "--resume", *more]) == 2
    err = capsys.readouterr().err
    assert f"goes on with its own settings, and these options differ from them: {difference}" in err
    assert err.count("\n") == 1
    assert (out / "events.jsonl").read_bytes() == before


@pytest.mark.skipif(os.name != "posix", reason="a signal is sent")
def test_sigterm_leaves_a_checkpoint_of_the_step_that_was_trained_last(tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "resnet_demo", "train", *TINY, "--json", "--steps", "100000", "--out", str(out)]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as training:
        assert training.stdout is not None
        lines = iter(training.stdout)
        while from_line(next(lines)).step < 3:
            pass
        training.send_signal(signal.SIGTERM)
        last = [from_line(line) for line in lines][-1]
        assert training.stderr is not None
        err = training.stderr.read()
    assert training.returncode == 143
    assert isinstance(last, CheckpointSaved)
    assert torch.load(out / "checkpoint.pt", weights_only=True)["step"] == last.step
    assert last.step < 500  # the first checkpoint that is due without a signal
    assert f"Ended by SIGTERM at step {last.step}; --resume goes on from there." in err
    assert Record(out).status() == "interrupted"


def test_the_start_of_a_training_is_told_in_a_sentence(picture_folder: Path, tmp_path: Path, capsys: Output) -> None:
    assert train(picture_folder, tmp_path / "run", "--steps", "2") == 0
    err = capsys.readouterr().err
    assert re.search(r"Training resnet8 \([\d,]+ parameters\) for 2 steps on .+, in fp32, with \d+ threads?\.", err)
    assert "{" not in err


def test_unreadable_files_are_named_and_left_out_on_request_up_to_the_model_card(
    picture_folder: Path, tmp_path: Path, capsys: Output
) -> None:
    pictures, out = tmp_path / "pictures", tmp_path / "run"
    shutil.copytree(picture_folder, pictures)
    for name in ("blue/000.png", "red/004.png"):
        (pictures / name).write_bytes(b"no picture")
    assert train(pictures, out, "--steps", "2") == 1
    err = capsys.readouterr().err
    assert str(pictures / "blue" / "000.png") in err and "--skip-unreadable" in err
    assert train(pictures, out, "--steps", "2", "--skip-unreadable") == 0
    assert "2 unreadable files are left out: blue/000.png, red/004.png." in capsys.readouterr().err
    start = Record(out).events()[0]
    assert isinstance(start, RunStarted)
    assert start.skipped == ("blue/000.png", "red/004.png")
    assert main(["keep", str(out), "--name", "tiny", "--to", str(tmp_path / "models")]) == 0
    assert "--skip-unreadable" in (tmp_path / "models" / "tiny" / "README.md").read_text()


def test_of_the_processes_of_torchrun_only_the_first_draws_and_speaks(picture_folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "resnet_demo"]
    command += ["train", *TINY, "--data", str(picture_folder), "--steps", "2", "--out", str(tmp_path / "run")]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, timeout=240)
    lines = [line.rpartition("\r")[2] for line in done.stderr.decode().split("\n")]  # as a terminal shows them at the end
    assert done.returncode == 0, "\n".join(lines)
    assert sum("Training resnet8" in line for line in lines) == 1, lines
    assert [re.search(r"\d/2", line)[0] for line in lines if "step/s" in line or "s/step" in line] == ["2/2"], lines  # type: ignore[index]


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
    pause(picture_folder, out, after=5)
    (out / "checkpoint.pt").write_bytes(b"damaged")
    capsys.readouterr()
    assert main(["train", "--out", str(out), "--resume", "--json"]) == 1
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert last["kind"] == "failed"
    assert "is damaged" in last["reason"]


def test_of_the_processes_of_torchrun_one_fetches_and_the_others_find_what_it_brought(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fetched: list[int] = []
    second_is_there = threading.Event()

    def download(config: DataConfig, should_cancel: Callable[[], bool]) -> Iterator[tuple[int, int]]:
        if fetched:  # it is in the cache
            return
        second.start()
        assert not second_is_there.wait(0.3), "both fetch at once"
        fetched.append(1)
        yield 1, 1

    def fetch_too() -> None:
        with distributed.one_after_another():
            second_is_there.set()
            assert list(dataset.download(DataConfig(source="cifar10"), lambda: False)) == []

    second = threading.Thread(target=fetch_too)
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(dataset, "download", download)
    bundled = dataset.load(DataConfig(train_limit=64))
    monkeypatch.setattr(dataset, "load", lambda _: bundled)
    config = run_config(parser().parse_args(["train", *TINY, "--data", "cifar10", "--out", "run", "--epochs", "1"]))
    second.join()
    assert (config.steps, fetched, second_is_there.is_set()) == (8, [1], True)
