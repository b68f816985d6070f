"""Two models on the same pictures: where both, one or none are right, and McNemar's exact test. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

import numpy
from numpy.typing import ArrayLike

from resnet_demo.words import SPACE

SIGNIFICANT = 0.05


@dataclass(frozen=True)
class Pair:
    """Numbers of pictures: both models right, only the first, only the second, neither."""

    both: int
    first_only: int
    second_only: int
    neither: int

    @property
    def p_value(self) -> float:
        """McNemar's exact test (two-sided): how likely the two numbers of which only one is right differ this much or more
        if each such picture were a toss of a fair coin."""  # noqa: D209
        small, tosses = sorted((self.first_only, self.second_only))[0], self.first_only + self.second_only
        term = tail = 1  # the binomial coefficients of 0..small, summed exactly
        for number in range(small):
            term = term * (tosses - number) // (number + 1)
            tail += term
        return min(float(2 * tail / (1 << tosses)), 1.0)


def pair(first: ArrayLike, second: ArrayLike) -> Pair:
    """Count the pictures.

    Args:
        first: whether the first model is right, (N,) booleans.
        second: the same of the second, on the same pictures.
    """
    one, other = numpy.asarray(first, bool), numpy.asarray(second, bool)
    return Pair(*(int(part.sum()) for part in (one & other, one & ~other, ~one & other, ~one & ~other)))


def sentence(counts: Pair, first: str, second: str) -> str:
    """What the test says about the two models, in two sentences computed from the numbers."""
    better, worse = (first, second) if counts.first_only > counts.second_only else (second, first)
    more, fewer = sorted((counts.first_only, counts.second_only), reverse=True)
    if more == 0:
        return f"{first} and {second} are right on the same pictures: there is nothing to tell them apart by."
    count = f"{more + fewer:,} pictures" if more + fewer > 1 else "one picture"
    counted = f"Only one of the two is right on {count}: {better} on {more:,}, {worse} on {fewer:,}."
    p_value = f"p{SPACE}<{SPACE}0.0001" if counts.p_value < 1e-4 else f"p{SPACE}={SPACE}{counts.p_value:.2g}"
    if counts.p_value < SIGNIFICANT:
        return (
            f"{counted} If both were equally good, so large a difference would be rare ({p_value}, McNemar's exact test): "
            f"{better} is better on such pictures."
        )
    return (
        f"{counted} Chance alone often makes such a difference ({p_value}, McNemar's exact test): these pictures do not show "
        "which is better."
    )
