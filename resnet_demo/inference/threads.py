"""How many of torch's threads one answer may use.

The threads of one operation wait for each other at its end, which takes longer than a small operation itself as soon as
another answer, a training or another program wants the same processors: with two threads ResNet-20 answered a quarter as
often as with one (LOG.md). Only a large picture that has the processors to itself gains from several.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from threading import Lock

import torch

LARGE = 128
"""Pixels of the side of a picture, from which on an operation is worth several threads."""


class AnswerThreads:
    """Shares torch's threads out among the answers that are computed at the same time.

    Args:
        total: how many threads an answer that is alone may use.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._answers = 0
        self._lock = Lock()

    @contextmanager
    def share(self, side: int) -> Iterator[int]:
        """Set the number of threads for an answer about a picture of that side, computed by the calling thread.

        Yields:
            The number of threads. What the calling thread had before is restored.
        """
        before = torch.get_num_threads()
        with self._lock:
            self._answers += 1
            threads = self._total if self._answers == 1 and side >= LARGE else 1
        torch.set_num_threads(threads)
        try:
            yield threads
        finally:
            torch.set_num_threads(before)
            with self._lock:
                self._answers -= 1


@lru_cache(maxsize=1)
def answer_threads() -> AnswerThreads:
    """The process's own."""
    return AnswerThreads(torch.get_num_threads())
