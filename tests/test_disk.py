"""A disk that is full or cannot be written, at each kind of write: one sentence, and nothing half-made.

The limit on a file's size (RLIMIT_FSIZE) refuses real writes in the midst of a file, for root too; a file in the place of
a folder stands for a folder that cannot be written.
"""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from resnet_demo import files
from resnet_demo.__main__ import main
from resnet_demo.config import RunConfig
from resnet_demo.errors import HubError, RunError
from resnet_demo.hub import fetch
from resnet_demo.results.export import export_zip, save_arm
from resnet_demo.training import session
from resnet_demo.training.events import RunFailed, RunFinished
from resnet_demo.training.record import Record, RecordWriter
from tests.loopback_hub import LoopbackHub
from tests.runs.stand_in import Opened
from tests.tiny import tiny_run

resource = pytest.importorskip("resource", reason="the system has no limit on a file's size")


@contextmanager
def no_file_over(size: int) -> Iterator[None]:
    """Refuse every write that would make a file of this process, or of one that it starts, larger."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def config(picture_folder: Path) -> RunConfig:
    return tiny_run(picture_folder)


@pytest.fixture(scope="module")
def finished(picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Record:
    folder = tmp_path_factory.mktemp("finished")
    list(session.run(tiny_run(picture_folder), folder))
    return Record(folder)


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    return Opened(tmp_path / "home")


def half_made(folder: Path) -> list[Path]:
    """What a write that broke off may leave."""
    return [path for path in folder.rglob("*") if path.name.endswith((".tmp", ".incomplete", ".part"))]


def test_a_checkpoint_without_room_ends_the_run_in_a_sentence_and_the_run_goes_on_to_the_same_weights(
    config: RunConfig, finished: Record, tmp_path: Path
) -> None:
    with no_file_over(20_000):  # room for the record, not for the checkpoint
        last = list(session.run(config, tmp_path))[-1]
    assert isinstance(last, RunFailed)
    assert last.reason == "The disk is full. Make room where the runs are kept, then continue the run."
    assert not Record(tmp_path).checkpoint.exists() and not half_made(tmp_path)
    assert Record(tmp_path).read()[0][-1] == last
    assert isinstance(list(session.run(config, tmp_path, resume=True))[-1], RunFinished)
    ours, theirs = (torch.load(record.checkpoint, weights_only=True)["arms"] for record in (Record(tmp_path), finished))
    assert all(torch.equal(ours[arm]["model"][name], theirs[arm]["model"][name]) for arm in ours for name in ours[arm]["model"])


def test_an_old_checkpoint_stays_whole_when_the_new_one_finds_no_room(config: RunConfig, tmp_path: Path) -> None:
    with RecordWriter(tmp_path, config, resume=False) as writer:
        writer.save_checkpoint(b"old")
        with no_file_over(20_000), pytest.raises(OSError) as full:
            writer.save_checkpoint(bytes(50_000))
        assert full.value.errno == errno.EFBIG
    assert Record(tmp_path).checkpoint.read_bytes() == b"old" and not half_made(tmp_path)


def test_a_record_without_room_for_another_event_keeps_whole_lines_and_says_how_the_run_ended(
    config: RunConfig, tmp_path: Path
) -> None:
    events = session.run(config, tmp_path)
    next(events)
    with no_file_over((tmp_path / "events.jsonl").stat().st_size + 20):
        (last,) = events
    assert isinstance(last, RunFailed) and last.reason.startswith("The disk is full.")
    assert len(Record(tmp_path).read()[0]) == 1  # this limit is the file's: it has no room for the last word either
    assert (tmp_path / "events.jsonl").read_bytes().endswith(b"\n")


def test_a_run_in_a_folder_that_cannot_be_written_is_refused_in_a_sentence(
    config: RunConfig, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match=r"cannot be kept in .*file/run \(Not a directory\): make room there, or name a folder"):
        next(session.run(config, tmp_path / "file" / "run"))
    words = [
        "train",
        "--arch",
        "resnet8",
        "--data",
        config.data.source,
        "--steps",
        "1",
        "--out",
        str(tmp_path / "file" / "run"),
    ]
    assert main(words) == 1
    assert capsys.readouterr().err.strip().splitlines()[-1].startswith("resnet_demo: The run cannot be kept in ")


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES, errno.EPERM])
def test_a_disk_that_becomes_read_only_ends_the_run_in_a_sentence(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def refuse(self: RecordWriter, content: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(RecordWriter, "save_checkpoint", refuse)
    monkeypatch.setattr(RecordWriter, "append_last", refuse)
    last = list(session.run(config, tmp_path))[-1]
    assert isinstance(last, RunFailed)
    assert last.reason.startswith(f"The run's folder cannot be written ({os.strerror(number)}).")
    assert not Record(tmp_path).is_locked()


def test_a_queue_without_room_refuses_a_run_in_a_sentence_and_keeps_the_others(opened: Opened, config: RunConfig) -> None:
    first = opened.lab.submit(config, "a")
    before = (opened.lab.folder / "queue.json").read_bytes()
    with no_file_over(10), pytest.raises(RunError, match=r"The run cannot be kept in .*Make room there\."):
        opened.lab.submit(config, "b")
    assert [state.id for state in opened.lab.runs()] == [first]
    assert (opened.lab.folder / "queue.json").read_bytes() == before and not half_made(opened.lab.folder)


def test_measured_times_without_room_are_not_kept_and_the_queue_goes_on(opened: Opened, config: RunConfig) -> None:
    step_times = opened.lab.step_times
    step_times.add(config.arms[0].model, config, 0.01, 0.001)
    before = step_times.read()
    with no_file_over(10), pytest.raises(OSError):
        step_times.add(config.arms[0].model, config, 0.02, 0.002)
    assert step_times.read() == before and not half_made(opened.lab.folder.parent)
    opened.worker.ready()
    first, second = opened.lab.submit(config, "a"), opened.lab.submit(config, "b")
    with no_file_over(10):
        opened.done(first)
    assert opened.worker.trains() == [first, second]


@pytest.mark.parametrize("size", [100, 20_000])
def test_a_model_without_room_is_a_sentence_and_leaves_nothing(finished: Record, tmp_path: Path, size: int) -> None:
    with no_file_over(size), pytest.raises(RunError, match=r"mine could not be kept in [^\[]*File too large[^\[]*: make room"):
        save_arm(finished, "residual8", "mine", tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_model_in_a_folder_that_cannot_be_written_is_a_sentence(finished: Record, tmp_path: Path) -> None:
    (tmp_path / "models").write_text("")
    with pytest.raises(RunError, match=r"mine could not be kept in .*models"):
        save_arm(finished, "residual8", "mine", tmp_path / "models")


def test_a_file_that_finds_no_room_is_the_old_one_or_none(tmp_path: Path) -> None:
    with no_file_over(10):
        for path in (tmp_path / "new", tmp_path / "old"):
            if path.name == "old":
                path.write_bytes(b"old")
            with pytest.raises(OSError):
                files.write_atomically(path, bytes(11))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"old": b"old"}


def test_an_archive_without_room_is_the_systems_error_for_the_route_to_put_into_a_sentence(
    finished: Record, tmp_path: Path
) -> None:
    with no_file_over(100), pytest.raises(OSError) as full:
        export_zip(finished, tmp_path / "run.zip")
    assert full.value.errno == errno.EFBIG


def test_a_download_without_room_is_a_sentence_and_leaves_nothing_in_the_cache(loopback: LoopbackHub) -> None:
    loopback.add("user/name", "model.safetensors", os.urandom(400_000))
    with no_file_over(100_000), pytest.raises(HubError, match=r"The disk is full: there is no room for model\.safetensors"):
        fetch.fetch_file("user/name", "model.safetensors")
    assert fetch.cached_file("user/name", "model.safetensors") is None
    assert fetch.fetch_file("user/name", "model.safetensors").stat().st_size == 400_000


def test_a_cache_that_cannot_be_written_is_a_sentence(loopback: LoopbackHub, tmp_path: Path) -> None:
    loopback.add("user/name", "config.json", json.dumps({"a": 1}).encode())
    (tmp_path / "hub-cache").write_text("")
    with pytest.raises(HubError, match=r"config\.json of user/name"):
        fetch.fetch_file("user/name", "config.json")
