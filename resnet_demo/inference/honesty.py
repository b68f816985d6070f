"""Honest words: how sure an answer is, and what a model can answer at all.

A network has to choose among its classes, whatever it is shown, and the softmax is no measured chance of being
right. So the words here speak of shares, not of chances, and give the list of classes where nothing fits well.
"""

from __future__ import annotations

from collections.abc import Sequence

UNSURE_PROBABILITY = 0.5
"""Below it all other classes together have more than the best one: the answer is a guess among several."""

UNSURE_ENTROPY = 0.5
"""Above it the answer is spread as over more than the square root of the number of classes, each with the same share."""

CLEAR_PROBABILITY = 0.9
"""From it on, the answer is called clear: all other classes together have at most a tenth."""

NAMED = 10
"""So many classes are listed by name; of more, the number and the first three are told."""


def is_unsure(probability: float, entropy: float) -> bool:
    """Whether no class fits well. Takes the best class's share and the answer's entropy, both in 0..1."""
    return probability < UNSURE_PROBABILITY or entropy > UNSURE_ENTROPY


def unsure(probability: float, entropy: float, classes: Sequence[str]) -> str:
    """A sentence for an answer in which no class fits well, and the empty text for any other."""
    if not is_unsure(probability, entropy):
        return ""
    return f"None of the classes fits well: the best has only {probability:.0%}. {knows(classes)}"


def knows(classes: Sequence[str]) -> str:
    """What the model can answer at all, in one sentence."""
    if len(classes) <= NAMED:
        names = f"{', '.join(classes[:-1])} and {classes[-1]}"
        return f"This model knows {len(classes)} classes, {names}, and must choose one of them whatever it is shown."
    names = ", ".join(name.split(",")[0] for name in classes[:3])
    return f"This model knows {len(classes):,} classes, such as {names}, and must choose one of them whatever it is shown."


def sentence(label: str, probability: float, entropy: float, classes: Sequence[str]) -> str:
    """How sure the answer is, in words. Takes the best class, its share, and the answer's entropy (0..1)."""
    if is_unsure(probability, entropy):
        return unsure(probability, entropy, classes)
    if probability >= CLEAR_PROBABILITY:
        return f"The model clearly answers {label!r}, with {share(probability)} of the softmax. {knows(classes)}"
    return f"The model leans to {label!r}, with {share(probability)} of the softmax. {knows(classes)}"


def share(probability: float) -> str:
    """A share as a percentage which never claims to be all or nothing: '>99.9 %', '73.2 %', '<0.1 %'."""
    if probability > 0.999:
        return ">99.9 %"
    return "<0.1 %" if probability < 0.001 else f"{probability:.1%}".replace("%", " %")
