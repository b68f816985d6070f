"""`train` from the command line: what it prints, what it leaves, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from resnet_demo.__main__ import main, parser
from resnet_demo.commands.train import run_config
from resnet_demo.config import DataConfig
from resnet_demo.data import dataset
from resnet_demo.training import distributed
from resnet_demo.training.events import RunFailed, RunFinished, RunStarted, from_line, to_line
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


def test_of_the_processes_of_torchrun_one_fetches_and_the_others_find_what_it_brought(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fetched: list[int] = []
    second_is_there = threading.Event()

    def arriving(config: DataConfig, should_cancel: Callable[[], bool]) -> Iterator[tuple[int, int]]:
        if fetched:  # it is in the cache
            return
        second.start()
        assert not second_is_there.wait(0.3), "both fetch at once"
        fetched.append(1)
        yield 1, 1

    def fetch_too() -> None:
        with distributed.one_after_another():
            second_is_there.set()
            assert list(dataset.arriving(DataConfig(source="cifar10"), lambda: False)) == []

    second = threading.Thread(target=fetch_too)
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(dataset, "arriving", arriving)
    bundled = dataset.load(DataConfig(train_limit=64))
    monkeypatch.setattr(dataset, "load", lambda _: bundled)
    config = run_config(parser().parse_args(["train", *TINY, "--data", "cifar10", "--out", "run", "--epochs", "1"]))
    second.join()
    assert (config.steps, fetched, second_is_there.is_set()) == (8, [1], True)
