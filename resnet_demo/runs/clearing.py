"""Which runs clearing the list deletes, and why the others stay. No torch here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from resnet_demo.runs.actions import CLEARABLE, IN_PROGRESS
from resnet_demo.runs.run_state import RunState

OTHERS = ("is another visitor's", "are other visitors'")
TRAINING = ("trains or waits", "train or wait")
UNFINISHED = ("can be continued", "can be continued")
UNDELETABLE = ("could not be deleted just now", "could not be deleted just now")


@dataclass(frozen=True)
class Clearing:
    """The ids of the runs to delete, and how many stay, by the reason, which is worded for one run and for several."""

    runs: tuple[str, ...] = ()
    stay: Counter[tuple[str, str]] = field(default_factory=Counter)

    def plan(self) -> str:
        """What clearing the list would do, in a sentence."""
        if not self.runs:
            return f"There is no run here that you may clear{self._rest()}."
        return (
            f"{_runs(len(self.runs))} will be deleted with {'its' if len(self.runs) == 1 else 'their'} weights{self._rest()}."
        )

    def result(self) -> str:
        """What clearing the list did, in a sentence."""
        if not self.runs:
            return f"No run was deleted{self._rest()}."
        return f"{_runs(len(self.runs))} {'was' if len(self.runs) == 1 else 'were'} deleted{self._rest()}."

    def _rest(self) -> str:
        if not self.stay:
            return ""
        counts = [(self.stay[reason], reason) for reason in (OTHERS, TRAINING, UNFINISHED, UNDELETABLE) if self.stay[reason]]
        reasons = [f"{count} {reason[count > 1]}" for count, reason in counts]
        count = self.stay.total()
        return f"; {count} {'stays' if count == 1 else 'stay'}: {', '.join(reasons)}"


def plan_clearing(states: Iterable[RunState], may_delete: Callable[[RunState], bool]) -> Clearing:
    """Which of these runs clearing the list deletes.

    Args:
        states: of the runs in the list.
        may_delete: whether a run is the visitor's to delete, whatever its status.
    """
    reasons = [(state.id, _reason(state, may_delete)) for state in states]
    return Clearing(
        tuple(run for run, reason in reasons if reason is None), Counter(reason for _, reason in reasons if reason is not None)
    )


def _reason(state: RunState, may_delete: Callable[[RunState], bool]) -> tuple[str, str] | None:
    """Why a run stays; None if it is deleted."""
    if not may_delete(state):
        return OTHERS
    if state.status in IN_PROGRESS:
        return TRAINING
    return None if state.status in CLEARABLE else UNFINISHED


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"
