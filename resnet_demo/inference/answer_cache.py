"""Finished answers, kept for the pictures that everybody asks about. No torch here."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Any


class AnswerCache:
    """Reports by whatever they depend on; the least recently used leave. Any number of threads may use it.

    An answer is kept as JSON: its size is known, and nobody can change what another is given.

    Args:
        max_bytes: of all answers together; one with the maps of one network has about 100 kB.
    """

    def __init__(self, max_bytes: int = 32_000_000) -> None:
        self.max_bytes = max_bytes
        self._lock = Lock()
        self._answers: OrderedDict[Hashable, str] = OrderedDict()  # the least recently used first
        self._size = 0

    @property
    def size(self) -> int:
        """Bytes of the answers that are kept."""
        return self._size

    def get(self, key: Hashable) -> dict[str, Any] | None:
        """The answer, if it is kept."""
        with self._lock:
            text = self._answers.get(key)
            if text is None:
                return None
            self._answers.move_to_end(key)
        answer: dict[str, Any] = json.loads(text)
        return answer

    def put(self, key: Hashable, answer: dict[str, Any]) -> None:
        """Keep an answer, and forget the oldest ones where there are too many; one that is larger than all may be is not kept."""
        text = json.dumps(answer)  # ASCII: a byte a character
        if len(text) > self.max_bytes:
            return
        with self._lock:
            self._size += len(text) - len(self._answers.pop(key, ""))
            self._answers[key] = text
            while self._size > self.max_bytes:
                self._size -= len(self._answers.popitem(last=False)[1])
