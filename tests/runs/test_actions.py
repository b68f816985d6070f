"""What may be done with a run in each status: the table, and that the service enforces every line of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest

from resnet_demo.comparison import LabSettings, comparison
from resnet_demo.config import RunConfig
from resnet_demo.errors import SettingError
from resnet_demo.runs.actions import ALLOWED, IN_PROGRESS, REFUSAL, TEACHER_ACTIONS, Action
from resnet_demo.runs.controls import controls_for
from resnet_demo.runs.service import RunService
from resnet_demo.training.events import Event, RunFailed, RunFinished, RunPaused, RunStopped
from resnet_demo.training.record import RecordWriter, Status
from tests.runs.stand_in import Opened
from tests.training.test_record import started

ENDINGS: dict[Status, Event] = {
    "paused": RunPaused(step=0),
    "stopped": RunStopped(step=0, seconds=1.0),
    "failed": RunFailed(step=0, reason="The disk is full."),
    "finished": RunFinished(step=400, seconds=1.0),
    "interrupted": started(),
}
CONFIG: RunConfig = comparison(LabSettings())


def run_in(status: Status, opened: Opened) -> str:
    """The id of a run in this status, of visitor a."""
    if status not in IN_PROGRESS:
        run = opened.lab.submit(CONFIG, "a")
        opened.worker.ready()
        with RecordWriter(opened.lab.folder / run, CONFIG, resume=True) as writer:
            writer.append(ENDINGS[status])
        opened.done(run)
        return run
    if status == "running":
        opened.worker.ready()
    return opened.lab.submit(CONFIG, "a")


def act(action: Action, lab: RunService) -> Callable[..., Any]:
    acts: dict[Action, Callable[..., Any]] = {
        "stop": lab.stop, "pause": lab.pause, "continue": lab.resume, "repeat": lab.repeat, "delete": lab.delete, "pin": lab.pin,
        "predict": lambda run, visitor, _=None: lab.predict(run, visitor, "plain"),
    }  # fmt: skip
    return acts[action]


def test_the_table_has_a_line_for_every_status_and_a_sentence_for_every_action() -> None:
    assert set(ALLOWED) == {*get_args(Status), "recorded"}  # test_recorded.py tries what may be done with the last
    assert set(REFUSAL) == set(get_args(Action))


@pytest.mark.parametrize("status", get_args(Status))
@pytest.mark.parametrize("action", REFUSAL)
def test_the_service_allows_what_the_table_allows_and_refuses_the_rest_in_its_sentence(
    opened: Opened, status: Status, action: Action
) -> None:
    run = run_in(status, opened)
    assert opened.lab.state(run).status == status
    if action in ALLOWED[status]:
        act(action, opened.lab)(run, "a", "teacher" if action in TEACHER_ACTIONS else None)
    else:
        with pytest.raises(SettingError) as refused:
            act(action, opened.lab)(run, "a")
        assert str(refused.value) == f"Run {run} is {status}: {REFUSAL[action]}."
        assert opened.lab.state(run).status == status


@pytest.mark.parametrize("action", TEACHER_ACTIONS)
def test_the_visitor_who_started_a_run_may_not_do_what_only_the_teacher_may(opened: Opened, action: Action) -> None:
    run = run_in("finished", opened)
    with pytest.raises(SettingError, match="Only the teacher may do this"):
        act(action, opened.lab)(run, "a")


@pytest.mark.parametrize("status", get_args(Status))
def test_the_page_offers_what_the_service_allows(opened: Opened, status: Status) -> None:
    controls = controls_for(opened.lab, run_in(status, opened))
    offers = {"stop": controls.can_stop, "continue": controls.can_continue, "repeat": controls.can_repeat}
    assert offers == {action: action in ALLOWED[status] for action in offers}
    assert controls.can_pause == (status == "running")


def test_a_run_that_another_process_trains_cannot_be_stopped_here(opened: Opened) -> None:
    run = run_in("interrupted", opened)
    with RecordWriter(opened.lab.folder / run, CONFIG, resume=True):
        assert opened.lab.state(run).status == "running"
        with pytest.raises(SettingError, match="is running: it cannot be stopped"):
            opened.lab.stop(run, "a")
