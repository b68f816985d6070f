"""Whole sets of training settings under one name, for `train --recipe`. No torch here.

Every setting of a recipe is an option of `train`; one that is given beside `--recipe` replaces the recipe's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

PAPER_ITERATIONS = 64_000


@dataclass(frozen=True)
class Recipe:
    """Settings by class: the fields of DataConfig, OptimizerConfig and RunConfig that differ from their defaults.

    The length is given in `steps` or in `epochs`, passes over the training images; the other is None.
    """

    data: dict[str, Any]
    optimizer: dict[str, Any]
    run: dict[str, Any] = field(default_factory=dict)
    steps: int | None = None
    epochs: float | None = None


RECIPES: dict[str, Recipe] = {
    # Section 4.2 to the letter: 45,000 images to train on, 5,000 held out; crops of the picture padded with zeros (the mean,
    # once it is subtracted), mirror images; SGD with momentum, 0.1 divided by 10 at 32,000 and 48,000 iterations.
    "paper": Recipe(
        data={"source": "cifar10", "augment": True, "padding": "mean", "mirror": "random", "held_out": 5_000},
        optimizer={"name": "sgd", "learning_rate": 0.1, "momentum": 0.9, "weight_decay": 1e-4, "decay": "all", "schedule": "paper"},
        run={"batch": 128},
        steps=PAPER_ITERATIONS,
    ),
    # A tenth of the paper's pictures, most of them smaller; LOG.md has how it was chosen, on held-out training images.
    "fast": Recipe(
        data={
            "source": "cifar10", "augment": True, "padding": "reflect", "mirror": "alternating",
            "half_size": 0.35, "three_quarter_size": 0.25,
        },
        optimizer={
            "name": "sgd", "learning_rate": 0.2, "nesterov": True, "weight_decay": 5e-4, "decay": "weights",
            "schedule": "triangle", "label_smoothing": 0.05,
        },
        run={"batch": 128},
        epochs=24,
    ),
}  # fmt: skip
