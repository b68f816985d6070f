"""What visitors predict of a run before it ends: which of its networks learns better. Nobody is named. No torch here.

    <home>/runs/<id>/predictions.json     the predictions, by a hash of the visitor's cookie; they are deleted with the run

A visitor may change a prediction until the run ends, and sees those of the others after having predicted, or at the end.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from resnet_demo.errors import SettingError
from resnet_demo.files import write_atomically
from resnet_demo.parsing import Frozen, parse
from resnet_demo.results.summary import Outcome
from resnet_demo.runs.permissions import identity_hash

CHOICES: tuple[Outcome, ...] = get_args(Outcome)
FILE = "predictions.json"
MOST = 1_000
"""Predictions of one run, so that invented cookies take no room."""
QUESTION = "Predict first: which network will have the lower training loss?"


class Prediction(Frozen):
    """A visitor's choice, as a request brings it."""

    choice: Outcome


class _Kept(Frozen):
    choices: Mapping[str, Outcome]


@dataclass(frozen=True)
class Tally:
    """The predictions of a run as one visitor may see them.

    Args:
        question: what is predicted.
        options: the answers, by choice.
        is_open: whether this visitor may still predict.
        own: the visitor's choice; empty for none.
        counts: how many visitors chose what; empty for a visitor who has not predicted yet.
        sentence: the state of all predictions in words.
    """

    question: str
    options: Mapping[Outcome, str]
    is_open: bool
    own: Outcome | None
    counts: Mapping[Outcome, int]
    sentence: str


class Predictions:
    """The predictions of all runs. Its methods may be called from any thread.

    Args:
        folder: of the runs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._choices: dict[str, dict[str, Outcome]] = {}

    def predict(self, run: str, visitor: str, choice: Outcome) -> None:
        """Keep a visitor's prediction in place of an earlier one.

        Raises:
            SettingError: the visitor has no cookie, or MOST visitors have predicted already.
            OSError: it cannot be written.
        """
        if not visitor:
            raise SettingError(
                "Without a cookie a prediction cannot be told from another visitor's: allow cookies for this page."
            )
        with self._lock:
            choices = self._of(run) | {identity_hash(visitor): choice}
            if len(choices) > MOST:
                raise SettingError(f"{MOST:,} visitors have predicted this run: no more are counted.")
            write_atomically(self._folder / run / FILE, json.dumps({"choices": choices}).encode())
            self._choices[run] = choices

    def tally(self, run: str, visitor: str, depth: int, *, is_open: bool, outcome: Outcome | None) -> Tally:
        """The predictions of a run as a visitor may see them.

        Args:
            run: its id.
            visitor: who looks.
            depth: of the two networks.
            is_open: whether the run has not ended.
            outcome: of a run that has ended; None where it was too early to say.
        """
        with self._lock:
            choices = dict(self._of(run))
        own = choices.get(identity_hash(visitor)) if visitor else None
        options: dict[Outcome, str] = {
            "plain": f"plain-{depth}", "residual": f"residual-{depth}", "neither": "no clear difference",
        }  # fmt: skip
        count = Counter(choices.values())
        counts = {choice: count[choice] for choice in CHOICES} if own or not is_open else {}
        if is_open:
            sentence = _so_far(options, counts, own, len(choices))
        else:
            sentence = _in_the_end(options, outcome, own, len(choices), count[outcome] if outcome else 0)
        return Tally(QUESTION, options, is_open, own, counts, sentence)

    def forget(self, run: str) -> None:
        """Drop the predictions of a deleted run from memory."""
        with self._lock:
            self._choices.pop(run, None)

    def _of(self, run: str) -> dict[str, Outcome]:
        """The predictions of a run; a file that cannot be read holds none. The lock must be held."""
        if run not in self._choices:
            try:
                text = (self._folder / run / FILE).read_text(encoding="utf-8")
                self._choices[run] = dict(parse(_Kept, text).choices)
            except (OSError, SettingError):
                self._choices[run] = {}
        return self._choices[run]


def _so_far(options: Mapping[Outcome, str], counts: Mapping[Outcome, int], own: Outcome | None, total: int) -> str:
    if own is None:
        return f"{_people(total)} predicted already." if total else ""
    parts = ", ".join(f"{counts[choice]} {options[choice]}" for choice in CHOICES)
    return f"You said: {options[own]}. All predictions so far: {parts}. You may change yours until the run ends."


def _in_the_end(options: Mapping[Outcome, str], outcome: Outcome | None, own: Outcome | None, total: int, right: int) -> str:
    if not total:
        return ""
    if outcome is None:
        return f"{_people(total)} predicted; the run ended too early to say who is right."
    result = "There is no clear difference" if outcome == "neither" else f"It is {options[outcome]}"
    verdict = "" if own is None else ": you were right" if own == outcome else f"; you said {options[own]}"
    return f"{result}{verdict}. {right} of {total} {'prediction was' if total == 1 else 'predictions were'} right."


def _people(count: int) -> str:
    return "1 visitor has" if count == 1 else f"{count} visitors have"
