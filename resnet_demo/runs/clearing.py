"""Which runs go when the list is cleared, and why the others stay. No torch here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from resnet_demo.runs.actions import CLEARED, IN_PROGRESS
from resnet_demo.runs.run_state import RunState

OTHERS = ("is another visitor's", "are other visitors'")
IN_WORK = ("trains or waits", "train or wait")
UNFINISHED = ("can be continued", "can be continued")
HELD = ("could not be deleted just now", "could not be deleted just now")


@dataclass(frozen=True)
class Clearing:
    """The ids of the runs that go, and how many stay, by the reason for one and for several."""

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
        counts = [(self.stay[reason], reason) for reason in (OTHERS, IN_WORK, UNFINISHED, HELD) if self.stay[reason]]
        reasons = [f"{count} {reason[count > 1]}" for count, reason in counts]
        count = self.stay.total()
        return f"; {count} {'stays' if count == 1 else 'stay'}: {', '.join(reasons)}"


def clearing(states: Iterable[RunState], may_delete: Callable[[RunState], bool]) -> Clearing:
    """What clearing the list means for these runs.

    Args:
        states: of the runs in the list.
        may_delete: whether a run is the visitor's to delete, whatever its status.
    """
    reasons = [(state.id, _reason(state, may_delete)) for state in states]
    return Clearing(
        tuple(run for run, reason in reasons if reason is None), Counter(reason for _, reason in reasons if reason is not None)
    )


def _reason(state: RunState, may_delete: Callable[[RunState], bool]) -> tuple[str, str] | None:
    """Why a run stays; None if it goes."""
    if not may_delete(state):
        return OTHERS
    if state.status in IN_PROGRESS:
        return IN_WORK
    return None if state.status in CLEARED else UNFINISHED


def _runs(count: int) -> str:
    return "1 run" if count == 1 else f"{count} runs"
