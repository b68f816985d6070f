"""How long a run will take on this machine: from measured times only. No torch here.

What was measured is kept in one small file, by machine and network: the seconds that one arm adds to a training
step of a comparison, and to judging one picture. Measured are steps of earlier runs, and a few steps that the
worker tries while it has nothing else to do. A network nobody has timed is scaled by its multiply-adds from the
nearest one that was, and the answer says so.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from resnet_demo.comparison import TEST_IMAGES
from resnet_demo.config import ModelConfig, RunConfig
from resnet_demo.files import write_atomically
from resnet_demo.parsing import Frozen
from resnet_demo.training.events import ArmDiverged, Event, Progress

SLOWEST = 1e10  # multiply-adds a second, assumed before anything was measured; two cores of a laptop do some times that
FORWARD_AND_BACKWARD = 3  # a training step costs about three forward passes
WATCHED = 1.45
"""Two browsers that draw the curves on the machine that trains make the default run take 74 seconds instead of 51."""


class StepTime(Frozen):
    """How fast one network is on this machine."""

    key: str
    multiply_adds: float  # of one step's forward passes
    step_seconds: Annotated[float, Field(gt=0)]  # that it adds to a step of a comparison
    picture_seconds: Annotated[float, Field(gt=0)]  # that it adds to judging one test picture
    last_step_seconds: Annotated[float, Field(ge=0)] = 0  # as step_seconds, in the last run, with whoever watched it


@dataclass(frozen=True)
class Estimate:
    """About how long a run takes, and whether its networks were timed themselves or a similar one was."""

    seconds: float  # while the machine does little else
    basis: Literal["measured", "scaled"]
    longest: float = 0.0  # while browsers on the same machine draw its curves


_all: TypeAdapter[list[StepTime]] = TypeAdapter(list[StepTime])


def key(model: ModelConfig, config: RunConfig) -> str:
    """What decides how long a step takes; with and without shortcuts counts as the same."""
    size = config.data.image_size
    options = f"{model.shortcut}{'' if model.batch_norm else ' no-bn'}"
    return f"{_machine()} depth{model.depth} width{model.width} {size}px batch{config.batch} {config.precision} {options}"


def multiply_adds(model: ModelConfig, image_size: int) -> float:
    """Of the 3×3 convolutions of a CIFAR network for one picture, by hand: each stage does the same work."""
    blocks = (model.depth - 2) // 6
    layer = 9 * model.width**2 * image_size**2
    return float(9 * 3 * model.width * image_size**2 + layer * (6 * blocks - 1))


def slow_step_seconds(model: ModelConfig, config: RunConfig) -> float:
    """What one step of a network would take on a slow machine."""
    return FORWARD_AND_BACKWARD * multiply_adds(model, config.data.image_size) * config.batch / SLOWEST


class StepTimes:
    """The measured times, in a file that other processes may write too."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> dict[str, StepTime]:
        """What was measured, by key; nothing if the file is missing or damaged (it can be measured again)."""
        try:
            return {timed.key: timed for timed in _all.validate_json(self._path.read_bytes())}
        except (OSError, ValidationError):
            return {}

    def add(
        self, model: ModelConfig, config: RunConfig, step_seconds: float, picture_seconds: float | None = None,
        last_step_seconds: float = 0.0,
    ) -> None:  # fmt: skip
        """Keep a measurement; the newest counts."""
        known = self.read()
        name, work = key(model, config), multiply_adds(model, config.data.image_size)
        if picture_seconds is None:
            old = known.get(name)
            picture_seconds = old.picture_seconds if old else step_seconds / config.batch / 3
        timed = StepTime(
            key=name, multiply_adds=work * config.batch, step_seconds=step_seconds, picture_seconds=picture_seconds,
            last_step_seconds=last_step_seconds,
        )  # fmt: skip
        known[name] = timed
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path, json.dumps([item.model_dump() for item in known.values()], indent=1).encode())

    def learn(self, config: RunConfig, events: Iterable[Event]) -> None:
        """Keep what a run of two networks of one kind tells while both learn: the median of its readings.

        Browsers may have slowed it down, so that a shorter time that is known stays the shortest.
        What one adds to a step depends on how many share the processors: two, where a network is timed (trial.py).
        """
        both = takewhile(lambda event: not isinstance(event, ArmDiverged), events)
        readings = sorted(event.images_per_second for event in both if isinstance(event, Progress))
        if len(config.arms) == 2 and len({key(arm.model, config) for arm in config.arms}) == 1 and len(readings) >= 5:
            model, seconds = config.arms[0].model, config.batch / readings[len(readings) // 2]
            old = self.read().get(key(model, config))
            self.add(model, config, min(seconds, old.step_seconds) if old else seconds, last_step_seconds=seconds)

    def missing(self, config: RunConfig) -> list[ModelConfig]:
        """The networks of a run that nobody has timed, one of each kind."""
        known = self.read()
        return list({key(arm.model, config): arm.model for arm in config.arms if key(arm.model, config) not in known}.values())

    def estimate(self, config: RunConfig) -> Estimate | None:
        """About how long the run takes; None if nothing was ever measured on this machine."""
        known = self._here()
        if not known:
            return None
        measurements = config.steps // config.evaluate_every if config.evaluate_every else 1
        pictures = measurements * TEST_IMAGES.get(config.data.source, 1_000)
        seconds, longest, measured = 0.0, 0.0, True
        for arm in config.arms:
            timed = known.get(key(arm.model, config))
            measured = measured and timed is not None
            step, picture = (timed.step_seconds, timed.picture_seconds) if timed else self._scaled(arm.model, config, known)
            diagnoses = config.steps / config.diagnose_every if config.diagnose_every else 0
            needs = step * (config.steps + 0.2 * diagnoses) + picture * pictures
            seconds += needs
            longest += needs * max(WATCHED, timed.last_step_seconds / step if timed else 0)
        return Estimate(seconds, "measured" if measured else "scaled", longest)

    def step_seconds(self, model: ModelConfig, config: RunConfig) -> float | None:
        """What a step of a network that nobody has timed may take; None if nothing was ever measured on this machine."""
        known = self._here()
        return self._scaled(model, config, known)[0] if known else None

    def _here(self) -> dict[str, StepTime]:
        """What was measured on this machine."""
        return {name: timed for name, timed in self.read().items() if name.startswith(_machine())}

    @staticmethod
    def _scaled(model: ModelConfig, config: RunConfig, known: dict[str, StepTime]) -> tuple[float, float]:
        work = multiply_adds(model, config.data.image_size) * config.batch
        nearest = min(known.values(), key=lambda timed: abs(timed.multiply_adds - work))
        share = work / nearest.multiply_adds
        step = min(nearest.step_seconds * share, slow_step_seconds(model, config))  # the overhead of a tiny one does not grow
        return step, nearest.picture_seconds * step / nearest.step_seconds


def _machine() -> str:
    return f"{platform.node()} {os.cpu_count()} cpu"
