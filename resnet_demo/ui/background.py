"""Slow work in a thread, while the event that waits for it reports progress and can cancel it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Executor, wait
from dataclasses import dataclass, field
from typing import Protocol, TypeVar
from uuid import uuid4

from resnet_demo.errors import ResNetDemoError

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)

SECONDS_BETWEEN_SENTENCES = 0.3


class Work(Protocol[R_co]):
    """A function that reports its progress and stops early when asked to."""

    def __call__(self, *, say: Callable[[str], None], should_cancel: Callable[[], bool]) -> R_co:
        """The result. `say` takes a progress sentence; the function returns or raises soon after `should_cancel()` is true."""
        ...


@dataclass(frozen=True)
class Background:
    """Runs functions in threads, for events that yield progress sentences to the page.

    Args:
        threads: the executor that runs them; it limits how many run at a time.
    """

    threads: Executor

    def run(self, work: Work[R], first_sentence: str) -> Iterator[str | R]:
        """Yields the latest progress sentence several times a second, then the result of `work`.

        Closing the iterator cancels the work: what has not started never starts, and what runs sees `should_cancel()` true.

        Args:
            work: the function; it starts with the first step of the iterator.
            first_sentence: the progress until the function reports its own.

        Raises:
            Exception: whatever `work` raises.
        """
        sentences = [first_sentence]
        cancelled = threading.Event()
        result = self.threads.submit(work, say=sentences.append, should_cancel=cancelled.is_set)
        try:
            while not wait([result], SECONDS_BETWEEN_SENTENCES).done:
                yield sentences[-1]
            yield result.result()
        finally:
            result.cancel()
            cancelled.set()


class WorkEnded(ResNetDemoError):
    """The visitor cancelled the work, or started another one."""


@dataclass
class LatestWork:
    """Work of which each visitor has one at a time: the next one ends the one before."""

    _tickets: dict[str, str] = field(default_factory=dict)

    def follow(self, who: str, steps: Generator[R, None, None]) -> Iterator[R]:
        """The steps of a visitor's work, until the visitor starts another one or ends it.

        The event that shows the steps is also the one that says how they ended, so that no late step overwrites the end.

        Args:
            who: the visitor.
            steps: closed at the end.

        Raises:
            WorkEnded: the visitor ended it before its last step; the message says how.
        """
        ticket = self._tickets[who] = uuid4().hex
        try:
            for step in steps:
                latest = self._tickets.get(who)
                if latest != ticket:
                    raise WorkEnded("Ended: you started another one." if latest else "Cancelled.")
                yield step
        finally:
            steps.close()
            if self._tickets.get(who) == ticket:
                del self._tickets[who]

    def end(self, who: str) -> None:
        """End the visitor's work, if there is any."""
        self._tickets.pop(who, None)
