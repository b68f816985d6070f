"""A run that takes a second: two networks of eight layers, four filters wide, on thirty pictures of 16×16."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from resnet_demo.config import ArmConfig, ModelConfig, RunConfig
from resnet_demo.parsing import parse
from resnet_demo.training.events import CheckpointSaved, Event, Progress, RunStarted

ROOT = Path(__file__).parents[1]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": str(ROOT),
    "OMP_NUM_THREADS": "1",
}  # of a process that finds the package wherever it is started


def tiny_run(folder: Path, **changes: Any) -> RunConfig:
    """A comparison on a folder of three classes (conftest.picture_folder); `changes` are fields of RunConfig."""
    arms = changes.pop("arms", None) or (tiny_arm("plain8", residual=False), tiny_arm("residual8"))
    data = {"source": str(folder), "image_size": 16, "augment": True, **changes.pop("data", {})}
    optimizer = {"learning_rate": 0.05, **changes.pop("optimizer", {})}
    values = {"batch": 8, "steps": 12, "precision": "fp32", "evaluate_every": 5, "checkpoint_every": 4, **changes}
    return parse(RunConfig, {"arms": arms, "data": data, "optimizer": optimizer, **values})


def tiny_arm(name: str, seed: int = 0, **changes: Any) -> ArmConfig:
    """An arm of a tiny run; `changes` are fields of ModelConfig."""
    model = ModelConfig(**{"depth": 8, "width": 4, "classes": 3, **changes})
    return ArmConfig(name=name, model=model, seed=seed)


def told_numbers(events: Sequence[Event]) -> list[Event]:
    """What a run found out, without when, how fast and how often it was interrupted."""
    return [event for event in events if not isinstance(event, (Progress, RunStarted, CheckpointSaved))]


def same(first: Any, second: Any) -> bool:
    """Whether two checkpoints, or parts of them, are equal to the last bit."""
    if isinstance(first, torch.Tensor):
        return first.dtype == second.dtype and torch.equal(first, second)
    if isinstance(first, dict):
        return first.keys() == second.keys() and all(same(first[key], second[key]) for key in first)
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(same(*pair) for pair in zip(first, second, strict=True))
    return bool(first == second)
