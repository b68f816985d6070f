"""What the Transfer tab shows of a run: its result, the actions that it allows, and its numbers. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from resnet_demo.errors import ResNetDemoError
from resnet_demo.results.export import plain
from resnet_demo.runs.actions import ALLOWED, IN_PROGRESS
from resnet_demo.runs.service import RunService
from resnet_demo.training.events import TransferMeasured
from resnet_demo.transfer.settings import TRANSFER


@dataclass(frozen=True)
class TransferControls:
    """Everything that changes with the status of the run; empty where the tab shows none."""

    sentence: str = ""
    can_stop: bool = False
    can_pause: bool = False
    can_continue: bool = False
    has_network: bool = False
    can_keep: bool = False
    outcome: dict[str, Any] | None = None  # of TransferMeasured, for the tables


def transfer_controls(service: RunService, run: str) -> TransferControls:
    """The controls around a run: an id, or any other text for no run."""
    try:
        state, record = service.state(run), service.record(run)
        sentence = service.summary(run).sentence
        measured = service.follower(run).latest(TransferMeasured)
    except ResNetDemoError:  # there is none, or it was deleted
        return TransferControls()
    allowed, is_over = ALLOWED[state.status], state.status not in IN_PROGRESS
    has_network = is_over and (record.folder / "arms" / TRANSFER / "config.json").exists()
    return TransferControls(
        sentence=sentence if is_over else "",
        can_stop="stop" in allowed,
        can_pause="pause" in allowed and state.status != "waiting",
        can_continue="continue" in allowed,
        has_network=has_network,
        can_keep=has_network and state.status != "recorded",
        outcome=plain(measured.model_dump()) if is_over and measured is not None else None,
    )


def latest_transfer(service: RunService, visitor: str, run: str = "") -> str:
    """The transfer that a page opens with.

    It is `run`, which its link names, if there is one; else the visitor's newest; else the recorded one; else "".
    """
    transfers = [state for state in service.runs(visitor) if state.is_transfer]
    if any(state.id == run for state in transfers):
        return run
    return next((state.id for state in transfers if state.yours or state.status == "recorded"), "")  # those that ship are last
