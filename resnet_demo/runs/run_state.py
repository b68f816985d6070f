"""What a page says about a run, derived from its record and from who waits and trains. No torch here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from resnet_demo.recipes import share_of_paper
from resnet_demo.runs.follower import Follower
from resnet_demo.runs.permissions import RunOwner
from resnet_demo.runs.step_times import StepTimes
from resnet_demo.training.events import Progress, RunFailed, RunStarted
from resnet_demo.training.record import Status

EXPORT = "What it learnt is kept: it is measured, and its weights are written, as soon as the trainer is free."
LEFT = "The app ended while this run trained. It can be continued from its last checkpoint."


@dataclass(frozen=True)
class RunState:
    """What a page says about a run. `place` is 1 for the next run to train; 0 when it does not wait."""

    id: str
    title: str
    status: Status
    step: int
    steps: int
    submitted: str
    classes: int
    share_of_paper: float  # of its pictures, once all steps are trained
    yours: bool = False
    place: int = 0
    wait_seconds: float | None = None  # about how long until it begins; None when nobody can say
    seconds_left: float | None = None
    reason: str = ""


def run_state(
    follower: Follower, visitor: str, *, place: int, is_current: bool, trouble: str, export: bool, wait_seconds: float | None,
    step_times: StepTimes,
) -> RunState:  # fmt: skip
    """How a run stands now.

    Args:
        follower: its record.
        visitor: who asks.
        place: in the queue; 0 if it does not wait.
        is_current: whether the worker has it.
        trouble: why it failed, where the record could not say so.
        export: whether it was stopped and its weights are not written yet.
        wait_seconds: until it begins.
        step_times: for the time it needs, before it has told any itself.
    """
    config, ticket, last = follower.config, RunOwner.of(follower.record.folder), follower.last()
    status: Status = "waiting" if place else "stopped" if export else "running" if is_current else follower.status()
    reason = EXPORT if export else ""
    if trouble and status == "interrupted":
        status, reason = "failed", trouble
    elif status == "interrupted":
        reason = LEFT
    elif status == "failed" and isinstance(last, RunFailed):
        reason = last.reason
    return RunState(
        id=follower.record.folder.name, title=config.title, status=status, step=last.step if last else 0, steps=config.steps,
        submitted=ticket.submitted, classes=config.arms[0].model.classes, share_of_paper=share_of_paper(config.steps, config.batch),
        yours=ticket.belongs_to(visitor), place=place, wait_seconds=wait_seconds, reason=reason,
        seconds_left=seconds_left(follower, step_times) if status == "running" else None,
    )  # fmt: skip


def seconds_left(follower: Follower, step_times: StepTimes) -> float | None:
    """What a run that trains still needs: what it says itself, else what such runs take."""
    latest = follower.latest(Progress, RunStarted)
    if isinstance(latest, Progress):
        return latest.seconds_left
    estimate = step_times.estimate(follower.config)
    return estimate.seconds if estimate else None


def seconds_until(before: Iterable[Follower], step_times: StepTimes) -> float | None:
    """What all the runs before one still need; None where nobody knows it of one of them."""
    total = 0.0
    for follower in before:
        needs = seconds_left(follower, step_times)
        if needs is None:
            return None
        total += needs
    return total
