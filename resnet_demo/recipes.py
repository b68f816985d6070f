"""Sets of training settings that have a name, for `train --recipe`. No torch here.

Every setting of a recipe is an option of `train`; an option beside `--recipe` overrides the recipe's value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypedDict

PAPER_ITERATIONS, PAPER_BATCH = 64_000, 128


class DataSettings(TypedDict, total=False):
    """Fields of config.DataConfig."""

    source: str
    augment: bool
    padding: Literal["mean", "reflect"]
    mirror: Literal["random", "alternating"]
    half_size: float
    three_quarter_size: float
    held_out: int


class OptimizerSettings(TypedDict, total=False):
    """Fields of config.OptimizerConfig."""

    name: Literal["sgd", "adam", "muon"]
    learning_rate: float
    filter_rate: float
    momentum: float
    nesterov: bool
    weight_decay: float
    decay: Literal["all", "weights"]
    schedule: Literal["paper", "cosine", "one-cycle", "triangle", "linear", "constant"]
    label_smoothing: float


class RunSettings(TypedDict, total=False):
    """Fields of config.RunConfig."""

    batch: int


@dataclass(frozen=True)
class Recipe:
    """The settings that differ from their defaults; `config.py` checks them when a run is made of them.

    Either `steps` or `epochs` (passes over the training images) gives the length; the other is None.
    """

    data: DataSettings
    optimizer: OptimizerSettings
    run: RunSettings = field(default_factory=RunSettings)
    steps: int | None = None
    epochs: float | None = None


RECIPES: dict[str, Recipe] = {
    # Section 4.2 exactly: 45,000 training images, 5,000 held out; random crops of the picture padded with zeros (the mean,
    # once it is subtracted), random mirror images; SGD with momentum, 0.1 divided by 10 at 32,000 and 48,000 iterations.
    "paper": Recipe(
        data={"source": "cifar10", "augment": True, "padding": "mean", "mirror": "random", "held_out": 5_000},
        optimizer={"name": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 1e-4, "decay": "all", "schedule": "paper"},
        run={"batch": PAPER_BATCH},
        steps=PAPER_ITERATIONS,
    ),
    # A seventh of the paper's images, most of them smaller. LOG.md tells how held-out training images led to Muon and its
    # learning rates; the other settings are those of an earlier sketch.
    "fast": Recipe(
        data={
            "source": "cifar10", "augment": True, "padding": "reflect", "mirror": "alternating",
            "half_size": 0.35, "three_quarter_size": 0.25,
        },
        optimizer={
            "name": "muon", "learning_rate": 0.2, "filter_rate": 0.25, "weight_decay": 5e-4, "decay": "weights",
            "schedule": "triangle", "label_smoothing": 0.05,
        },
        run={"batch": 128},
        epochs=24,
    ),
}  # fmt: skip


def share_of_paper(steps: int, batch: int) -> float:
    """Images that a run trains on, as a share of the paper's 64,000 iterations of 128 (section 4.2)."""
    return steps * batch / (PAPER_ITERATIONS * PAPER_BATCH)
