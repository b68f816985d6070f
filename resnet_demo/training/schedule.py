"""Learning-rate schedules as values: a function from progress, between 0 and 1, to a factor.

The step after k of n has the progress (k + 0.5) / n: its middle, so that no step has the rate 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable

Schedule = Callable[[float], float]


def paper(progress: float) -> float:
    """Section 4.2: divided by 10 at 32k and again at 48k of 64k iterations."""
    return 1.0 if progress < 0.5 else 0.1 if progress < 0.75 else 0.01


def cosine(progress: float) -> float:
    """Half a cosine, from 1 to 0 (Loshchilov & Hutter 2017, arXiv 1608.03983, without restarts)."""
    return (1 + math.cos(math.pi * progress)) / 2


def linear(progress: float) -> float:
    """A straight line from 1 to 0."""
    return 1 - progress


def one_cycle(progress: float) -> float:
    """Up from 1/25 to 1 in the first 30 %, then down to 0, both on half a cosine (Smith & Topin 2018, arXiv 1708.07120)."""
    if progress < 0.3:
        return 1 - (1 - 1 / 25) * cosine(progress / 0.3)
    return cosine((progress - 0.3) / 0.7)


def triangle(progress: float) -> float:
    """Up in a straight line in the first 15 %, then down to 0 in another."""
    return progress / 0.15 if progress < 0.15 else (1 - progress) / 0.85


def constant(_progress: float) -> float:
    """Always 1."""
    return 1.0


def warmed_up(schedule: Schedule, warmup: float) -> Schedule:
    """Rise in a straight line from near 0 during the first `warmup` share, then follow the whole of `schedule`'s rest."""
    if warmup <= 0:
        return schedule
    return lambda progress: progress / warmup if progress < warmup else schedule(progress)


SCHEDULES: dict[str, Schedule] = {
    "paper": paper, "cosine": cosine, "one-cycle": one_cycle, "triangle": triangle, "linear": linear, "constant": constant,
}  # fmt: skip
