"""Visitors' predictions, before a run ends, of which network will learn better. They are anonymous. No torch here.

    <home>/runs/<id>/predictions.json     the predictions, by a hash of the visitor's cookie; they are deleted with the run

A visitor may change a prediction until the run ends. The predictions of others are shown once the visitor has predicted, or at the end.
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
from resnet_demo.results.summary import Winner
from resnet_demo.runs.permissions import identity_hash

CHOICES: tuple[Winner, ...] = get_args(Winner)
FILE = "predictions.json"
MOST = 1_000
"""The most predictions of one run, so that forged cookies cannot fill the disk."""
QUESTION = "Predict first: which network will have the lower training loss?"


class Prediction(Frozen):
    """A visitor's choice: the body of a request."""

    choice: Winner


class _PredictionFile(Frozen):
    choices: Mapping[str, Winner]


@dataclass(frozen=True)
class Tally:
    """The predictions of a run as one visitor may see them.

    Args:
        question: what to predict.
        options: the wording of each choice.
        is_open: whether this visitor may still predict.
        own: the visitor's choice; empty for none.
        counts: how many visitors made each choice; empty while this visitor may not see them.
        sentence: the same in words; empty if there is nothing to say.
    """

    question: str
    options: Mapping[Winner, str]
    is_open: bool
    own: Winner | None
    counts: Mapping[Winner, int]
    sentence: str


class Predictions:
    """The predictions of all runs. Its methods may be called from any thread.

    Args:
        folder: of the runs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._lock = threading.Lock()
        self._choices: dict[str, dict[str, Winner]] = {}

    def predict(self, run: str, visitor: str, choice: Winner) -> None:
        """Keep a visitor's prediction in place of an earlier one.

        Raises:
            SettingError: the visitor has no cookie, or MOST visitors have predicted already.
            OSError: it cannot be written.
        """
        if not visitor:
            raise SettingError(
                "Without a cookie, your prediction cannot be told apart from another visitor's: allow cookies for this page."
            )
        with self._lock:
            choices = self._of(run) | {identity_hash(visitor): choice}
            if len(choices) > MOST:
                raise SettingError(f"{MOST:,} visitors have made a prediction for this run: no more are counted.")
            write_atomically(self._folder / run / FILE, json.dumps({"choices": choices}).encode())
            self._choices[run] = choices

    def tally(self, run: str, visitor: str, depth: int, *, is_open: bool, winner: Winner | None) -> Tally:
        """The predictions of a run as a visitor may see them.

        Args:
            run: its id.
            visitor: the identity in the visitor's cookie; empty if there is none.
            depth: of the two networks.
            is_open: whether the run has not ended.
            winner: of a run that has ended; None if it ended too early to say.
        """
        with self._lock:
            choices = dict(self._of(run))
        own = choices.get(identity_hash(visitor)) if visitor else None
        options: dict[Winner, str] = {
            "plain": f"plain-{depth}", "residual": f"residual-{depth}", "neither": "no clear difference",
        }  # fmt: skip
        count = Counter(choices.values())
        counts = {choice: count[choice] for choice in CHOICES} if own or not is_open else {}
        if is_open:
            sentence = _so_far(options, counts, own, len(choices))
        else:
            sentence = _final(options, winner, own, len(choices), count[winner] if winner else 0)
        return Tally(QUESTION, options, is_open, own, counts, sentence)

    def forget(self, run: str) -> None:
        """Drop the predictions of a deleted run from memory."""
        with self._lock:
            self._choices.pop(run, None)

    def _of(self, run: str) -> dict[str, Winner]:
        """The predictions of a run; a file that cannot be read holds none. The lock must be held."""
        if run not in self._choices:
            try:
                text = (self._folder / run / FILE).read_text(encoding="utf-8")
                self._choices[run] = dict(parse(_PredictionFile, text).choices)
            except (OSError, UnicodeDecodeError, SettingError):
                self._choices[run] = {}
        return self._choices[run]


def _so_far(options: Mapping[Winner, str], counts: Mapping[Winner, int], own: Winner | None, total: int) -> str:
    if own is None:
        return f"{_people(total)} predicted already." if total else ""
    parts = ", ".join(f"{counts[choice]} {options[choice]}" for choice in CHOICES)
    return f"You said: {options[own]}. All predictions so far: {parts}. You may change yours until the run ends."


def _final(options: Mapping[Winner, str], winner: Winner | None, own: Winner | None, total: int, right: int) -> str:
    if not total:
        return ""
    if winner is None:
        return f"{_people(total)} predicted; the run ended too early to say who is right."
    result = "There is no clear difference" if winner == "neither" else f"It is {options[winner]}"
    verdict = "" if own is None else ": you were right" if own == winner else f"; you said {options[own]}"
    return f"{result}{verdict}. {right} of {total} {'prediction was' if total == 1 else 'predictions were'} right."


def _people(count: int) -> str:
    return "1 visitor has" if count == 1 else f"{count} visitors have"
