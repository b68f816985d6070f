"""A clock that a test sets."""

from __future__ import annotations


class Clock:
    """Gives its `seconds`."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds
