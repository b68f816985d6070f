"""What may be done with a run in each status: the table that the service enforces and the page's buttons follow. No torch here."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from resnet_demo.errors import SettingError
from resnet_demo.training.record import Status

Action = Literal["stop", "pause", "continue", "repeat", "delete", "predict", "pin"]

RunStatus = Literal[Status, "recorded"]
"""The status of a run that was started on this machine, or 'recorded' for one that ships with the project (recorded.py)."""

ALLOWED: Mapping[RunStatus, frozenset[Action]] = MappingProxyType({
    "waiting": frozenset({"stop", "pause", "predict", "pin"}),
    "running": frozenset({"stop", "pause", "predict", "pin"}),
    "paused": frozenset({"stop", "continue", "repeat", "delete", "predict", "pin"}),
    "interrupted": frozenset({"stop", "continue", "repeat", "delete", "predict", "pin"}),
    "stopped": frozenset({"continue", "repeat", "delete", "pin"}),
    "failed": frozenset({"continue", "repeat", "delete", "pin"}),
    "finished": frozenset({"repeat", "delete", "pin"}),
    "recorded": frozenset({"repeat", "pin"}),
})  # fmt: skip

REFUSAL: Mapping[Action, str] = MappingProxyType({
    "stop": "it cannot be stopped",
    "pause": "it cannot be paused",
    "continue": "there is nothing to continue",
    "repeat": "repeat it when it has ended",
    "delete": "stop it before you delete it",
    "predict": "its result can be seen, so predictions are closed",
    "pin": "it cannot be shown to everyone",
})  # fmt: skip

IN_PROGRESS: frozenset[RunStatus] = frozenset({"waiting", "running"})
"""A run in any other status has ended, for good or until it is continued."""

CLEARABLE = frozenset(status for status, actions in ALLOWED.items() if "delete" in actions and "stop" not in actions)
"""Clearing the list deletes the runs in these statuses; runs that can be continued stay."""

TEACHER_ACTIONS: frozenset[Action] = frozenset({"pin"})
"""Only the teacher may do these."""


def check_action(action: Action, run_id: str, status: RunStatus) -> None:
    """Check that a run in this status allows an action.

    Raises:
        SettingError: it does not; the sentence names the run, its status and what to do.
    """
    if action not in ALLOWED[status]:
        raise refusal(action, run_id, status)


def refusal(action: Action, run_id: str, status: RunStatus) -> SettingError:
    """The error that refuses an action in one sentence."""
    if status == "recorded":
        return SettingError(f"Run {run_id} is recorded and ships with this app: it can only be viewed or repeated.")
    return SettingError(f"Run {run_id} is {status}: {REFUSAL[action]}.")
