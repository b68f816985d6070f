"""Measured seconds of a training step on this machine, and the time that a run is expected to take. No torch here.

One small file keeps a time for each network on each device: the seconds that one arm adds to a training step of a comparison,
and to measuring one test image. They come from earlier runs, and from a few steps that an idle trainer takes (timing.py). The
time of any other network is scaled by multiply-adds (model/cost.py) from the nearest one, and the estimate says so.
"""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from resnet_demo.config import ArmConfig, ModelConfig, RunConfig
from resnet_demo.data.cifar10 import TEST_IMAGES
from resnet_demo.files import write_atomically
from resnet_demo.model.cost import cost
from resnet_demo.parsing import Frozen
from resnet_demo.training.events import ArmDiverged, Event, Progress
from resnet_demo.transfer import work

SLOW_MACHINE = 1e10  # multiply-adds a second, assumed before anything is measured; two cores of a laptop do several times that
FORWARD_AND_BACKWARD = 3  # a training step costs about three forward passes
WATCHED = 1.45
"""Two browsers that draw the curves on the machine that trains make the default run take 74 seconds instead of 51."""


class StepTime(Frozen):
    """The speed of one network on one machine."""

    key: str
    machine: str  # the host and its device
    multiply_adds: float  # of one step's forward passes
    step_seconds: Annotated[float, Field(gt=0)]  # that it adds to a step of a comparison
    picture_seconds: Annotated[float, Field(gt=0)]  # that it adds to measuring one test image
    last_step_seconds: Annotated[float, Field(ge=0)] = 0  # as step_seconds, in the last run, while browsers drew its curves


@dataclass(frozen=True)
class Estimate:
    """About how long a run takes, and whether its own networks were timed or similar ones."""

    seconds: float  # while the machine does little else
    basis: Literal["measured", "scaled"]
    longest: float = 0.0  # while browsers on the same machine draw its curves


_step_times: TypeAdapter[list[StepTime]] = TypeAdapter(list[StepTime])


def key(model: ModelConfig, config: RunConfig, machine: str) -> str:
    """What decides how long a step takes: the machine, the whole architecture, and the shape and number format of a batch.

    `residual` and `shortcut_scale` are left out: adding the shortcuts takes about no time, so the plain and the residual networks of
    one depth are timed as one.
    """
    architecture = " ".join(
        f"{name}={value}" for name, value in model.model_dump(exclude={"residual", "shortcut_scale"}).items()
    )
    return f"{machine} | {architecture} | {config.data.image_size}px batch={config.batch} {config.precision}"


def step_multiply_adds(model: ModelConfig, config: RunConfig) -> int:
    """Multiply-adds of one step's forward passes."""
    return cost(model, config.data.image_size).multiply_adds * config.batch


def slow_step_seconds(model: ModelConfig, config: RunConfig) -> float:
    """Seconds of one step of a network on a slow machine."""
    return FORWARD_AND_BACKWARD * step_multiply_adds(model, config) / SLOW_MACHINE


class StepTimes:
    """The measured times, in a file that other processes may write too.

    Args:
        path: the file; a missing or damaged one holds no times (they can be measured again).
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._device = ""

    def use_device(self, name: str) -> None:
        """Name the device that trains, once the trainer has reported it; times of other devices do not count from then on."""
        self._device = name

    def read(self) -> dict[str, StepTime]:
        """All times by key, the newest last."""
        try:
            return {times.key: times for times in _step_times.validate_json(self._path.read_bytes())}
        except (OSError, ValidationError):
            return {}

    def key(self, model: ModelConfig, config: RunConfig) -> str:
        """The key of a network on the machine that trains."""
        return key(model, config, self._machine(self.read()))

    def add(
        self, model: ModelConfig, config: RunConfig, step_seconds: float, picture_seconds: float | None = None,
        last_step_seconds: float = 0.0,
    ) -> None:  # fmt: skip
        """Keep a measurement in place of an older one of the same network."""
        times = self.read()
        machine = self._machine(times)
        name = key(model, config, machine)
        previous = times.pop(name, None)
        if picture_seconds is None:
            picture_seconds = previous.picture_seconds if previous else step_seconds / config.batch / FORWARD_AND_BACKWARD
        times[name] = StepTime(
            key=name, machine=machine, multiply_adds=step_multiply_adds(model, config), step_seconds=step_seconds,
            picture_seconds=picture_seconds, last_step_seconds=last_step_seconds,
        )  # fmt: skip
        self._path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(self._path, json.dumps([item.model_dump() for item in times.values()], indent=1).encode())

    def learn(self, config: RunConfig, events: Iterable[Event]) -> None:
        """Keep the median speed that a run of two networks of one kind reports while both learn.

        Browsers may have slowed the run down, so the shortest time stays. What one network adds to a step depends on how many
        share the processors: two, as where a network is timed (time_steps.py).
        """
        both = takewhile(lambda event: not isinstance(event, ArmDiverged), events)
        speeds = sorted(event.images_per_second for event in both if isinstance(event, Progress))
        keys = {self.key(arm.model, config) for arm in config.arms}
        if len(config.arms) == 2 and len(keys) == 1 and len(speeds) >= 5 and not config.transfer:  # whose arms learn in turn
            seconds = config.batch / speeds[len(speeds) // 2]
            previous = self.read().get(keys.pop())
            shortest = min(seconds, previous.step_seconds) if previous else seconds
            self.add(config.arms[0].model, config, shortest, last_step_seconds=seconds)

    def missing(self, config: RunConfig) -> list[ModelConfig]:
        """The networks of a run without a measured time, one of each kind."""
        times = self.read()
        machine = self._machine(times)
        models = {key(arm.model, config, machine): arm.model for arm in config.arms}
        return [model for name, model in models.items() if name not in times]

    def estimate(self, config: RunConfig) -> Estimate | None:
        """About how long the run takes; None if this machine has no measured time."""
        times = self._here()
        if not times:
            return None
        machine = self._machine(times)
        seconds, longest, is_measured = 0.0, 0.0, True
        for arm in config.arms:
            own = times.get(key(arm.model, config, machine))
            is_measured = is_measured and own is not None
            step, picture = (own.step_seconds, own.picture_seconds) if own else _scaled(arm.model, config, times)
            steps, pictures = work_of(arm, config)
            arm_seconds = step * steps + picture * pictures
            seconds += arm_seconds
            longest += arm_seconds * max(WATCHED, own.last_step_seconds / step if own else 0)
        return Estimate(seconds, "measured" if is_measured else "scaled", longest)

    def step_seconds(self, model: ModelConfig, config: RunConfig) -> float | None:
        """Seconds that a step of a network without a measured time may take; None if this machine has no measured time."""
        times = self._here()
        return _scaled(model, config, times)[0] if times else None

    def _here(self) -> dict[str, StepTime]:
        """The times of the machine that trains."""
        times = self.read()
        machine = self._machine(times)
        return {name: item for name, item in times.items() if item.machine == machine}

    def _machine(self, times: Mapping[str, StepTime]) -> str:
        """The host and its device. Until the trainer has reported the device, that of the newest time of this host counts."""
        host = f"{platform.node()} {os.cpu_count()} cpu"
        if self._device:
            return f"{host} {self._device}"
        machines = [item.machine for item in times.values() if item.machine.startswith(host)]
        return machines[-1] if machines else host


def work_of(arm: ArmConfig, config: RunConfig) -> tuple[float, float]:
    """What one network of a run costs: training steps, and pictures that it is measured on (or whose features it computes)."""
    if config.transfer:
        return work.work_of(arm, config, config.transfer)
    measurements = config.steps // config.evaluate_every if config.evaluate_every else 1
    diagnoses = config.steps / config.diagnose_every if config.diagnose_every else 0
    return config.steps + 0.2 * diagnoses, measurements * TEST_IMAGES.get(config.data.source, 1_000)


def slow_seconds(config: RunConfig) -> float:
    """Seconds of a run's training, and of a transfer's passes over its pictures, on a slow machine."""
    seconds = 0.0
    for arm in config.arms:
        steps, pictures = work_of(arm, config)
        if not config.transfer:
            steps, pictures = config.steps, 0
        seconds += slow_step_seconds(arm.model, config) * (steps + pictures / config.batch / FORWARD_AND_BACKWARD)
    return seconds


def _scaled(model: ModelConfig, config: RunConfig, times: Mapping[str, StepTime]) -> tuple[float, float]:
    """Seconds of a step and of a test image, scaled by multiply-adds from the network that is nearest in them."""
    multiply_adds = step_multiply_adds(model, config)
    nearest = min(times.values(), key=lambda item: abs(item.multiply_adds - multiply_adds))
    ratio = multiply_adds / nearest.multiply_adds
    step = min(nearest.step_seconds * ratio, slow_step_seconds(model, config))  # the overhead of a tiny network does not grow
    return step, nearest.picture_seconds * step / nearest.step_seconds
