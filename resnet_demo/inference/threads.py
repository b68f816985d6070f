"""How many of torch's threads one answer may use.

The threads of an operation wait for each other at its end. While another answer, a training run or another program uses
the same processors, that wait takes longer than a small operation: with two threads, ResNet-20 gave a quarter of the
answers per second that it gave with one (LOG.md). Only a large picture that has the processors to itself gains from several.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

import torch

LARGE = 128
"""The side in pixels from which a picture gains from several threads."""


class AnswerThreads:
    """Divides torch's threads among the answers that are computed at the same time.

    Args:
        total: the number of threads for an answer that is computed alone.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._answers = 0
        self._lock = Lock()

    @contextmanager
    def share(self, side: int) -> Iterator[int]:
        """Set the number of torch's threads for an answer that the calling thread computes.

        Args:
            side: of the picture, in pixels.

        Yields:
            The number of threads. The previous number is restored at the end.
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
