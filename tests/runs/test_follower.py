"""Following a run: every line is read once, whoever asks, and a run that begins anew is noticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_demo.config import RunConfig
from resnet_demo.runs.follower import Follower
from resnet_demo.training.events import Progress, RunFinished, RunStarted, TrainingPoint
from resnet_demo.training.record import Record, RecordWriter
from tests.tiny import tiny_run
from tests.training.test_record import point, started


@pytest.fixture
def config(picture_folder: Path) -> RunConfig:
    return tiny_run(picture_folder)


def test_a_watcher_gets_what_is_new_and_another_everything(
    tmp_path: Path, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(tmp_path)
    assert follower.since(0) == ([], 0)
    with RecordWriter(tmp_path, config, resume=False) as writer:
        writer.append(started())
        writer.append(point(1))
        assert follower.since(0) == ([started(), point(1)], 2)
        assert follower.since(2) == ([], 2)
        writer.append(point(2))
        assert follower.since(2) == ([point(2)], 3)
        assert follower.last() == point(2)

    def read(self: Record, offset: int = 0) -> None:
        raise AssertionError("nothing is new, so nothing is read")

    monkeypatch.setattr(Record, "read", read)
    assert follower.since(0) == ([started(), point(1), point(2)], 3)
    assert follower.config == config


def test_a_torn_line_is_shown_once_it_is_whole(tmp_path: Path, config: RunConfig) -> None:
    with RecordWriter(tmp_path, config, resume=False) as writer:
        writer.append(started())
        writer.append(point(1))
    file = tmp_path / "events.jsonl"
    whole = file.read_bytes()
    file.write_bytes(whole[:-7])
    follower = Follower(tmp_path)
    assert follower.since(0) == ([started()], 1)
    file.write_bytes(whole)
    assert follower.since(1) == ([point(1)], 2)


def test_another_run_in_the_same_folder_is_read_from_its_beginning(tmp_path: Path, config: RunConfig) -> None:
    with RecordWriter(tmp_path, config, resume=False) as writer:
        for step in range(5):
            writer.append(point(step))
    follower = Follower(tmp_path)
    assert follower.since(0)[1] == 5
    (tmp_path / "events.jsonl").unlink()
    with RecordWriter(tmp_path, config, resume=False) as writer:
        writer.append(started())
    assert follower.since(0) == ([started()], 1)


def test_the_newest_event_of_a_kind_is_found(tmp_path: Path, config: RunConfig) -> None:
    follower = Follower(tmp_path)
    assert follower.latest(Progress, RunStarted) is None
    with RecordWriter(tmp_path, config, resume=False) as writer:
        for event in (started(), point(1), point(2)):
            writer.append(event)
        assert follower.latest(TrainingPoint) == point(2)
        assert follower.latest(Progress, RunStarted) == started()
        assert follower.status() == "running"
        writer.append(RunFinished(step=2, seconds=1.0))
    assert follower.status() == "finished"


def test_what_a_run_came_to_is_computed_once_for_all_who_ask(
    tmp_path: Path, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower = Follower(tmp_path)
    with RecordWriter(tmp_path, config, resume=False) as writer:
        writer.append(started())
        writer.append(point(1, loss=2.0).model_copy(update={"arm": "plain8"}))
        first = follower.summary()
        assert follower.summary() is first
        assert first.rows[0][:3] == ("plain8", 1, "2.000")
        writer.append(point(2, loss=1.0).model_copy(update={"arm": "plain8"}))
        assert follower.summary().rows[0][:3] == ("plain8", 2, "1.500")
