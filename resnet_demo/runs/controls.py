"""What a page shows around a run's curves: its result, the actions it allows, and the other runs. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_demo.comparison import PRESETS
from resnet_demo.errors import ResNetDemoError
from resnet_demo.runs.actions import ALLOWED, IN_PROGRESS
from resnet_demo.runs.run_state import RunState
from resnet_demo.runs.service import RunService

LISTED = 30  # runs in the table


@dataclass(frozen=True)
class Controls:
    """Everything that changes with a run's status; empty where the page shows no run."""

    others: tuple[tuple[str, str], ...]  # (label, id) of the runs that can be drawn beside it
    rows: tuple[tuple[str | int, ...], ...]  # comparison, network, status, steps, training loss, test error in %, end of the id
    sentence: str = ""  # the result of a run that has ended
    can_stop: bool = False
    can_pause: bool = False
    can_continue: bool = False
    can_repeat: bool = False
    arms: tuple[str, ...] = ()  # networks whose weights can be saved as a model


def controls_for(service: RunService, run: str) -> Controls:
    """The controls around the curves of `run`: an id, or any other text for no run."""
    states, pinned = _comparisons(service), service.pinned
    current = next((state for state in states if state.id == run), None)
    others = tuple((f"{state.title} ({state.id})", state.id) for state in states if state.id != run)
    rows = tuple(
        (
            f"{state.title} (shown to everyone)" if state.id == pinned else state.title,
            row[0],
            state.status,
            *row[1:],
            state.id[-6:],
        )
        for state in states[:LISTED]
        for row in _rows(service, state.id)
    )
    if current is None:
        return Controls(others, rows)
    try:
        status, record, sentence = current.status, service.record(run), service.summary(run).sentence
        arms = tuple(arm.name for arm in record.config.arms)
    except ResNetDemoError:  # deleted since it was listed
        return Controls(others, rows)
    allowed = ALLOWED[status]
    return Controls(
        others,
        rows,
        sentence="" if status in IN_PROGRESS else sentence,
        can_stop="stop" in allowed,
        # Waiting runs may be paused too, for a page that shows a run as running a moment longer; it offers no button for that.
        can_pause="pause" in allowed and status != "waiting",
        can_continue="continue" in allowed,
        can_repeat="repeat" in allowed,
        arms=tuple(arm for arm in arms if (record.folder / "arms" / arm / "config.json").exists()),
    )


def _comparisons(service: RunService) -> list[RunState]:
    """All runs but transfers, which have a tab of their own."""
    return [state for state in service.runs() if not state.is_transfer]


def _rows(service: RunService, run: str) -> tuple[tuple[str | int, ...], ...]:
    """The table rows of a run; none if it was deleted since it was listed."""
    try:
        return service.summary(run).rows
    except ResNetDemoError:
        return ()


def initial_run(service: RunService, run: str) -> str:
    """The run that a page opens with; empty if there are none.

    In this order: `run`, which the link names; the pinned run; the newest run of this machine; the recorded run of the first
    preset; any other.
    """
    states = _comparisons(service)
    every = [state.id for state in states]
    trained = [state.id for state in states if state.status != "recorded"]
    recorded = [state.id for state in states if state.status == "recorded" and state.title == next(iter(PRESETS))]
    return next((choice for choice in (run, service.pinned, *trained, *recorded, *every) if choice in every), "")


def newest_run(service: RunService) -> str:
    """The run that was started last here; empty if there is none."""
    return next((state.id for state in _comparisons(service) if state.status != "recorded"), "")


def shown_runs(service: RunService) -> dict[str, str]:
    """The runs shown to visitors who have not chosen one: the `pinned` run; without one, the projector view shows the `latest`."""
    return {"pinned": service.pinned, "latest": service.latest()}
