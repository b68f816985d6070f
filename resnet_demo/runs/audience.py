"""Who watches a run: visitors whose page asked about it a moment ago. No torch here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

SECONDS = 10.0
"""A page asks at least every 5 seconds, unless it is closed or asleep."""
MOST = 10_000
"""Watchers of all runs that are remembered, so that invented cookies take no memory."""


class Audience:
    """Counts the visitors that watch each run. Its methods may be called from any thread.

    Args:
        clock: returns seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._seen: dict[tuple[str, str], float] = {}  # the longest ago first

    def see(self, run: str, visitor: str) -> int:
        """Note that a visitor asked about a run just now; returns how many others have within the last SECONDS.

        Args:
            run: its id.
            visitor: the identity in the cookie; without one, nobody is counted.
        """
        now = self._clock()
        with self._lock:
            if visitor:
                self._seen.pop((run, visitor), None)
                self._seen[run, visitor] = now
            while self._seen:
                oldest = next(iter(self._seen))
                if now - self._seen[oldest] <= SECONDS and len(self._seen) <= MOST:
                    break
                del self._seen[oldest]
            return sum(of == run and who != visitor for of, who in self._seen)
