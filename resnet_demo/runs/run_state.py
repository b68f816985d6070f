"""The state of a run as a page shows it, derived from its record, the queue and the trainer. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from resnet_demo.recipes import share_of_paper
from resnet_demo.runs.actions import RunStatus
from resnet_demo.runs.follower import Follower
from resnet_demo.runs.permissions import RunOwner
from resnet_demo.runs.recorded import origin
from resnet_demo.runs.step_times import StepTimes
from resnet_demo.training.events import Progress, RunFailed, RunStarted

EXPORT = "What it learned is kept: it is measured, and its weights are written, as soon as the trainer is free."
LEFT = "The app ended while this run trained. It can be continued from its last checkpoint."


@dataclass(frozen=True)
class RunState:
    """The state of a run as a page shows it. `place` is 1 for the next run to train; 0 when it does not wait."""

    id: str
    title: str
    status: RunStatus
    step: int
    steps: int
    submitted: str
    classes: int
    share_of_paper: float  # of its training images, once all steps are trained
    is_transfer: bool = False
    yours: bool = False
    place: int = 0
    wait_seconds: float | None = None  # about how long until it begins; None if unknown
    seconds_left: float | None = None
    reason: str = ""


def run_state(
    follower: Follower, visitor: str, *, place: int, is_current: bool, trouble: str, export: bool, wait_seconds: float | None,
    step_times: StepTimes, is_recorded: bool = False,
) -> RunState:  # fmt: skip
    """The state of a run now.

    Args:
        follower: reads its record.
        visitor: the one who looks at it.
        place: in the queue, from 1; 0 if it does not wait.
        is_current: whether the trainer has it.
        trouble: why it failed, if the record could not be written.
        export: whether it was stopped and its weights are still to be written.
        wait_seconds: until it begins.
        step_times: for the time it needs, until it reports that itself.
        is_recorded: whether it ships with the project.
    """
    config, ticket, last = follower.config, RunOwner.of(follower.record.folder), follower.last()
    status: RunStatus
    reason = ""
    if is_recorded:
        status, reason = "recorded", origin(follower.since()[0])
    elif place:
        status = "waiting"
    elif export:
        status, reason = "stopped", EXPORT
    elif is_current:
        status = "running"
    else:
        status = follower.status()
        if status == "interrupted":
            status, reason = ("failed", trouble) if trouble else ("interrupted", LEFT)
        elif status == "failed" and isinstance(last, RunFailed):
            reason = last.reason
    return RunState(
        id=follower.record.folder.name, title=config.title, status=status, step=last.step if last else 0, steps=config.steps,
        submitted=ticket.submitted, classes=config.arms[0].model.classes, share_of_paper=share_of_paper(config.steps, config.batch),
        is_transfer=config.transfer is not None, yours=ticket.belongs_to(visitor), place=place, wait_seconds=wait_seconds, reason=reason,
        seconds_left=seconds_left(follower, step_times) if status == "running" else None,
    )  # fmt: skip


def seconds_left(follower: Follower, step_times: StepTimes) -> float | None:
    """Seconds that a run which trains still needs: as it reports itself, else as estimated; None if unknown."""
    latest = follower.latest(Progress, RunStarted)
    if isinstance(latest, Progress):
        return latest.seconds_left
    estimate = step_times.estimate(follower.config)
    return estimate.seconds if estimate else None


def seconds_until(before: Iterable[Follower], step_times: StepTimes) -> float | None:
    """Seconds that all the runs before one still need; None if that of any of them is unknown."""
    total = 0.0
    for follower in before:
        seconds = seconds_left(follower, step_times)
        if seconds is None:
            return None
        total += seconds
    return total
