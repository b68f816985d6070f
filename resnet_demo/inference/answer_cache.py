"""Finished answers about the example pictures, which most visitors ask for. No torch here."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Hashable
from threading import Lock
from typing import Any


class AnswerCache:
    """Answers by what they depend on; the least recently used are dropped. Any number of threads may use it.

    An answer is stored as JSON: its size is known, and a caller that changes its answer changes no other's.

    Args:
        max_bytes: of all answers together; one with the maps of one network has about 100 kB.

    Attributes:
        size: bytes of the answers in the cache.
    """

    def __init__(self, max_bytes: int = 32_000_000) -> None:
        self.max_bytes = max_bytes
        self._lock = Lock()
        self._answers: OrderedDict[Hashable, str] = OrderedDict()  # the least recently used first
        self.size = 0

    def get(self, key: Hashable) -> dict[str, Any] | None:
        """The answer; None if it is not in the cache."""
        with self._lock:
            text = self._answers.get(key)
            if text is None:
                return None
            self._answers.move_to_end(key)
        answer: dict[str, Any] = json.loads(text)
        return answer

    def put(self, key: Hashable, answer: dict[str, Any]) -> None:
        """Store an answer and drop the oldest ones beyond `max_bytes`; an answer larger than that is not stored."""
        text = json.dumps(answer)  # ASCII: a byte a character
        if len(text) > self.max_bytes:
            return
        with self._lock:
            self.size += len(text) - len(self._answers.pop(key, ""))
            self._answers[key] = text
            while self.size > self.max_bytes:
                self.size -= len(self._answers.popitem(last=False)[1])
