"""The experiments: the question of each, what it is after, what it does not prove, and the settings that it reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Experiment:
    """What the page says of an experiment, whatever comes out.

    Args:
        title: its name.
        question: what it answers.
        reference: the work that it repeats on a small scale.
        link: the address of that work.
        caveat: what it does not prove.
        fields: the settings that it reads, by their names in `InsideRequest`.
    """

    title: str
    question: str
    reference: str
    link: str
    caveat: str
    fields: tuple[str, ...]


EXPERIMENTS = {
    "gradients": Experiment(
        "Shattered gradients",
        "If a picture changes a little, does the gradient that training follows change a little too?",
        "Balduzzi, Frean, Leary, Lewis, Ma, McWilliams 2017, The Shattered Gradients Problem",
        "https://arxiv.org/abs/1702.08591",
        "These networks are untrained, and this is one line between two pictures: it shows how training starts, not that noise in the "
        "gradient alone makes a deep plain network fail.",
        ("depth", "seed"),
    ),
}
