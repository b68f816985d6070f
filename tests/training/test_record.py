"""The record: what was written whole is read, at whatever byte the writing ended."""

from __future__ import annotations

import errno
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from resnet_demo.config import RunConfig
from resnet_demo.errors import RunError
from resnet_demo.training.events import (
    CheckpointSaved,
    Event,
    Measured,
    RunFailed,
    RunFinished,
    RunPaused,
    RunStarted,
    RunStopped,
    TrainingPoint,
    to_line,
)
from resnet_demo.training.record import RESERVE, Record, RecordWriter, drop_repeated_steps
from tests.tiny import tiny_run


def started(step: int = 0) -> RunStarted:
    return RunStarted(
        time="2026-01-31T12:00:00+00:00", step=step, steps=9, steps_per_epoch=3, device="cpu", precision="fp32",
        threads=2, torch="2", parameters={"a": 7},
    )  # fmt: skip


def point(step: int, loss: float = 1.0) -> TrainingPoint:
    return TrainingPoint(step=step, arm="a", loss=loss, error=0.5, learning_rate=0.1)


@pytest.fixture
def config(picture_folder: Path) -> RunConfig:
    return tiny_run(picture_folder)


def write(folder: Path, config: RunConfig, *events: Event, resume: bool = False) -> Record:
    with RecordWriter(folder, config, resume=resume) as writer:
        for event in events:
            writer.append(event)
    return Record(folder)


def test_events_torn_at_any_byte_of_the_last_lines_leave_the_whole_lines_before_it(tmp_path: Path, config: RunConfig) -> None:
    history = [started(), point(1), Measured(step=1, arm="a", split="test", loss=2.0, error=0.5), point(2), point(3)]
    record = write(tmp_path, config, *history)
    file = tmp_path / "events.jsonl"
    content = file.read_bytes()
    assert content == b"".join(to_line(event) for event in history)
    ends = [len(b"".join(to_line(event) for event in history[:count])) for count in range(len(history) + 1)]
    for length in range(ends[2], len(content) + 1):
        file.write_bytes(content[:length])
        whole = max(count for count, end in enumerate(ends) if end <= length)
        assert record.read() == (history[:whole], ends[whole])


def test_a_resumed_run_cuts_off_a_torn_line_before_it_writes(tmp_path: Path, config: RunConfig) -> None:
    write(tmp_path, config, started(), point(1), point(2))
    file = tmp_path / "events.jsonl"
    file.write_bytes(file.read_bytes()[:-5])
    record = write(tmp_path, config, started(1), point(2, loss=0.5), resume=True)
    assert record.read()[0] == [started(), point(1), started(1), point(2, loss=0.5)]


def test_nothing_after_a_damaged_line_is_trusted(tmp_path: Path, config: RunConfig) -> None:
    record = write(tmp_path, config, started(), point(1), point(2))
    lines = (tmp_path / "events.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "events.jsonl").write_bytes(lines[0] + b"\0" * 20 + b"\n" + lines[2])
    assert record.read() == ([started()], len(lines[0]))


def test_events_can_be_read_on_from_where_one_stopped(tmp_path: Path, config: RunConfig) -> None:
    record = write(tmp_path, config, started(), point(1))
    _, offset = record.read()
    write(tmp_path, config, point(2), resume=True)
    assert record.read(offset)[0] == [point(2)]


def test_after_a_resume_what_was_told_of_later_steps_counts_no_more() -> None:
    history = [
        started(),
        point(1),
        CheckpointSaved(step=1),
        point(2),
        RunStopped(step=2, seconds=1.0),
        started(1),
        point(2, 0.5),
    ]
    assert drop_repeated_steps(history) == [started(), point(1), CheckpointSaved(step=1), started(1), point(2, 0.5)]


@pytest.mark.parametrize(
    ("last", "status"),
    [
        (RunFinished(step=9, seconds=1.0), "finished"), (RunStopped(step=3, seconds=1.0), "stopped"),
        (RunPaused(step=3), "paused"), (RunFailed(step=3, reason="The disk is full."), "failed"), (point(3), "interrupted"),
    ],
)  # fmt: skip
def test_the_status_follows_from_the_last_event(tmp_path: Path, config: RunConfig, last: Event, status: str) -> None:
    assert write(tmp_path, config, started(), last).status() == status


def test_a_run_that_a_process_holds_is_running_and_no_second_one_may_write(tmp_path: Path, config: RunConfig) -> None:
    with RecordWriter(tmp_path, config, resume=False) as writer:
        writer.append(started())
        assert Record(tmp_path).status() == "running"
    assert Record(tmp_path).status() == "interrupted"


def test_many_who_ask_at_once_do_not_take_each_other_for_the_process_that_trains(tmp_path: Path, config: RunConfig) -> None:
    record = write(tmp_path, config, started(), point(1))
    ready = threading.Barrier(4)

    def ask() -> list[str]:
        ready.wait()
        return [record.status() for _ in range(200)]

    with ThreadPoolExecutor(4) as watchers:
        asked = [watchers.submit(ask) for _ in range(4)]
    assert {status for answers in asked for status in answers.result()} == {"interrupted"}


def test_a_folder_with_a_run_is_not_overwritten(tmp_path: Path, config: RunConfig) -> None:
    write(tmp_path, config, started())
    with pytest.raises(RunError, match="already holds a run"), RecordWriter(tmp_path, config, resume=False):
        pass
    other = config.model_copy(update={"steps": 99})
    with pytest.raises(RunError, match="other settings"), RecordWriter(tmp_path, other, resume=True):
        pass


def test_an_empty_folder_holds_no_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="There is no run in"):
        _ = Record(tmp_path).config
    assert Record(tmp_path).events() == []


class FullDisk:
    """A file on a disk that has room for so many bytes."""

    def __init__(self, file: Any, room: int) -> None:
        self.file, self.room = file, room

    def write(self, content: bytes) -> int:
        if not self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self.file.write(content[: self.room])
        self.room -= written
        return int(written)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.file, name)


@pytest.mark.parametrize("room", [0, 1, 30])
def test_on_a_full_disk_an_event_is_written_whole_or_not_at_all(tmp_path: Path, config: RunConfig, room: int) -> None:
    with RecordWriter(tmp_path, config, resume=False) as writer:
        writer.append(started())
        real = writer._file
        writer._file = FullDisk(real, room)  # type: ignore[assignment]
        with pytest.raises(OSError) as full:
            writer.append(point(1))
        assert full.value.errno == errno.ENOSPC
        writer._file = real
        assert (tmp_path / RESERVE).stat().st_size == 16_384
        writer.append_last(RunFailed(step=0, reason="The disk is full."))
        assert not (tmp_path / RESERVE).exists()
    assert Record(tmp_path).read()[0] == [started(), RunFailed(step=0, reason="The disk is full.")]


def test_a_disk_that_fills_twice_leaves_only_whole_lines(tmp_path: Path, config: RunConfig) -> None:
    write(tmp_path, config, started(), point(1))
    file = tmp_path / "events.jsonl"
    file.write_bytes(file.read_bytes()[:-5])
    with RecordWriter(tmp_path, config, resume=True) as writer:
        real = writer._file
        for _ in range(2):
            writer._file = FullDisk(real, 30)  # type: ignore[assignment]
            with pytest.raises(OSError):
                writer.append(point(1))
            assert file.read_bytes() == to_line(started())
        writer._file = real
        writer.append(point(1))
    assert file.read_bytes() == to_line(started()) + to_line(point(1))
