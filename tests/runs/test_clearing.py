"""Clearing the list of runs: which go, which stay, and the sentence that says so."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from resnet_demo.comparison import LabSettings, comparison
from resnet_demo.errors import SettingError
from resnet_demo.runs.actions import CLEARABLE
from resnet_demo.training.events import RunFailed, RunFinished, RunPaused, RunStopped
from resnet_demo.training.record import RecordWriter
from tests.runs.stand_in import Opened

CONFIG = comparison(LabSettings())


@pytest.fixture
def room(opened: Opened) -> dict[str, str]:
    """Runs by visitor and status: Anna's finished, stopped, failed and paused, Ben's finished and running, Cleo's waiting."""
    opened.worker.ready()
    runs = {}
    for name, event in (
        ("anna finished", RunFinished(step=400, seconds=1.0)),
        ("anna stopped", RunStopped(step=9, seconds=1.0)),
        ("anna failed", RunFailed(step=9, reason="The disk is full.")),
        ("anna paused", RunPaused(step=9)),
        ("ben finished", RunFinished(step=400, seconds=1.0)),
    ):
        run = opened.lab.submit(CONFIG, name.split()[0])
        with RecordWriter(opened.lab.folder / run, CONFIG, resume=True) as writer:
            writer.append(event)
        opened.done(run)
        runs[name] = run
    return runs | {"ben running": opened.lab.submit(CONFIG, "ben"), "cleo waiting": opened.lab.submit(CONFIG, "cleo")}


def names(opened: Opened, room: dict[str, str]) -> set[str]:
    left = opened.lab.names()
    return {name for name, run in room.items() if run in left}


def test_only_runs_that_have_ended_for_good_are_cleared() -> None:
    assert {"finished", "stopped", "failed"} == CLEARABLE


def test_a_visitor_clears_own_runs_that_are_over_and_is_told_why_the_others_stay(opened: Opened, room: dict[str, str]) -> None:
    stays = "4 stay: 3 are other visitors', 1 can be continued"
    plan = opened.lab.plan_clearing("anna")
    assert plan.plan() == f"3 runs will be deleted with their weights; {stays}."
    assert names(opened, room) == room.keys()  # a plan deletes nothing
    assert opened.lab.clear("anna").result() == f"3 runs were deleted; {stays}."
    assert names(opened, room) == room.keys() - {"anna finished", "anna stopped", "anna failed"}
    assert opened.lab.clear("anna").result() == f"No run was deleted; {stays}."
    assert opened.lab.plan_clearing("anna").plan() == f"There is no run here that you may clear; {stays}."


def test_the_teacher_clears_everyones_but_none_that_trains_waits_or_can_be_continued(
    opened: Opened, room: dict[str, str]
) -> None:
    opened.lab.pin(room["ben finished"], "", "teacher")
    result = opened.lab.clear("", "teacher").result()
    assert result == "4 runs were deleted; 3 stay: 2 train or wait, 1 can be continued."
    assert names(opened, room) == {"anna paused", "ben running", "cleo waiting"}
    assert opened.lab.pinned == ""


def test_a_wrong_token_and_no_cookie_clear_nothing(opened: Opened, room: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="This token is not the teacher's"):
        opened.lab.clear("anna", "a-guess")
    assert opened.lab.clear("").result().startswith("No run was deleted; 7 stay: 7 are other visitors'")
    assert names(opened, room) == room.keys()


def test_a_run_that_cannot_be_deleted_is_counted_and_the_others_go(
    opened: Opened, room: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    remove: Callable[..., Any] = shutil.rmtree

    def rmtree(path: Path, **options: Any) -> None:
        if path.name == room["anna stopped"]:
            raise OSError("busy")
        remove(path, **options)

    monkeypatch.setattr(shutil, "rmtree", rmtree)
    result = opened.lab.clear("anna").result()
    assert result == (
        "2 runs were deleted; 5 stay: 3 are other visitors', 1 can be continued, 1 could not be deleted just now."
    )
    assert "anna stopped" in names(opened, room)
