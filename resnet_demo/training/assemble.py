"""Builds what the loop trains with from a run's config: networks, optimizers, batches, the plan of the loop."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import torch
from torch import nn

from resnet_demo.config import ArmConfig, OptimizerConfig, RunConfig
from resnet_demo.data.batches import Batches
from resnet_demo.data.dataset import Dataset
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import RunError
from resnet_demo.evaluation import predictions
from resnet_demo.model.resnet import build
from resnet_demo.training import distributed, machine
from resnet_demo.training.compiled_batch_norm import CompiledBatchNorm2d
from resnet_demo.training.events import Event, PhaseName, PhaseStarted
from resnet_demo.training.loop import Arm, Autocast, Batch, Measure, Plan
from resnet_demo.training.machine import Machine, Precision
from resnet_demo.training.muon import Muon
from resnet_demo.training.schedule import SCHEDULES, warmed_up


class Stream(Protocol):
    """An endless stream of batches that can go on where it stopped: data/batches.py, transfer/streams.py."""

    @property
    def per_epoch(self) -> int: ...  # noqa: D102 the implementations say it

    def __iter__(self) -> Iterator[Batch]: ...

    def __next__(self) -> Batch: ...

    def state_dict(self) -> dict[str, Any]: ...  # noqa: D102

    def load_state_dict(self, state: dict[str, Any]) -> None: ...  # noqa: D102


@dataclass(frozen=True)
class Phase:
    """A part of a run, in which some arms learn. An ordinary run has one; training changes it in place.

    Args:
        arms: the networks that learn.
        streams: the batches, by seed.
        plan: what the loop does in which step of the run; its `steps` is the step with which the phase ends.
        autocast: returns the context that computes a forward pass in the run's number format.
        measure: loss and error of a model on the test or held-out images; None if there are none.
        first: the number of steps before the phase.
        name: of a phase that the record names.
    """

    arms: tuple[Arm, ...]
    streams: Mapping[int, Stream]
    plan: Plan
    autocast: Autocast
    measure: Measure | None
    first: int = 0
    name: PhaseName | None = None

    @property
    def all_diverged(self) -> bool:
        """Whether every network has diverged, so that none still learns."""
        return all(arm.diverged for arm in self.arms)

    def started(self) -> Iterator[PhaseStarted]:
        """The event with which a phase begins that the record names."""
        if self.name is not None:
            names = tuple(arm.name for arm in self.arms)
            yield PhaseStarted(step=self.first + 1, name=self.name, arms=names, last=self.plan.steps)


@dataclass(frozen=True)
class Origin:
    """What a trained network is written with: the data it learned from, their classes, how its pictures are prepared."""

    data: str
    classes: tuple[str, ...]
    preprocessing: Preprocessing
    skipped: tuple[str, ...] = ()  # files of the data that cannot be read
    base: str = ""  # the hash of the weights that a transfer starts from


Report = Callable[[int, Callable[[], float]], Generator[Event, None, bool]]
"""Yields the results of a run after so many steps, with the seconds so far; returns False if it was interrupted."""


def no_report(_step: int, _seconds: Callable[[], float]) -> Generator[Event, None, bool]:
    """The report of a run whose measurements say everything."""
    yield from ()
    return True


Card = Callable[[ArmConfig, Sequence[Event]], str]
"""The model card of a network, from what the run's record says."""


@dataclass(frozen=True)
class Assembly:
    """Everything a run trains with.

    Args:
        config: the settings of the run.
        origin: what its networks are written with.
        phases: in the order of their steps.
        networks: the network of each arm, whose weights are written at the end.
        precision: number format of the forward passes.
        start: the number of completed steps; 0 for a new run.
        seconds_before: the duration of these steps.
        card: writes the model cards.
        report: measures what only the end of the run can.
    """

    config: RunConfig
    origin: Origin
    phases: tuple[Phase, ...]
    networks: Mapping[str, nn.Module]
    precision: Precision
    start: int
    seconds_before: float
    card: Card
    report: Report = no_report

    def phase_at(self, step: int) -> int:
        """The number of the phase in which this step is completed."""
        return next(number for number, phase in enumerate(self.phases) if step <= phase.plan.steps)

    def arms_at(self, step: int) -> dict[str, Arm]:
        """The arms that have begun to learn, by name; of one that learns in several phases, the last of these."""
        return {arm.name: arm for phase in self.phases[: self.phase_at(step) + 1] for arm in phase.arms}

    def checkpoint(self, step: int, seconds: float) -> dict[str, Any]:
        """Everything that determines how the run continues after `step`."""
        number = self.phase_at(step)
        phase, earlier = self.phases[number], self.phases[:number]
        content: dict[str, Any] = {
            "step": step, "precision": self.precision, "seconds": seconds, "base": self.origin.base,
            "arms": {arm.name: arm.state_dict() for arm in phase.arms},
            "streams": {seed: stream.state_dict() for seed, stream in phase.streams.items()},
        }  # fmt: skip
        if earlier:
            content["earlier"] = [{arm.name: arm.model.state_dict() for arm in phase.arms} for phase in earlier]
        return content

    def load_checkpoint(self, content: dict[str, Any]) -> None:
        """Continue from the step at which `checkpoint` was called."""
        number = self.phase_at(int(content["step"]))
        for phase, states in zip(self.phases[:number], content.get("earlier", ()), strict=True):
            for arm in phase.arms:
                arm.model.load_state_dict(states[arm.name])
        phase = self.phases[number]
        for arm in phase.arms:
            arm.load_state_dict(content["arms"][arm.name])
        for seed, stream in phase.streams.items():
            stream.load_state_dict(content["streams"][seed])


def assemble(
    config: RunConfig,
    data: Dataset,
    on: Machine,
    *,
    rank: int = 0,
    world_size: int = 1,
    checkpoint: dict[str, Any] | None = None,
) -> Assembly:
    """Build what a run trains with, in its initial state or in that of a checkpoint.

    Args:
        config: the settings of the run.
        data: the data set of the run.
        on: the machine that trains.
        rank: the rank of this process.
        world_size: the number of processes that train the run.
        checkpoint: what `Assembly.checkpoint` returned; None for a new run.

    Raises:
        RunError: the networks and the data differ in their number of classes.
    """
    if len(data.classes) != config.arms[0].model.classes:
        raise RunError(f"{data.name} has {len(data.classes)} classes; the networks have {config.arms[0].model.classes}.")
    data = data.to(on.device)
    arms = tuple(new_arm(config, index, on.device) for index in range(len(config.arms)))
    streams: dict[int, Batches] = {}
    for seed in dict.fromkeys(arm.seed for arm in config.arms):
        padded = next((stream.source for stream in streams.values()), None)
        streams[seed] = Batches(data, config.data, config.batch, seed, (rank, world_size), padded)
    precision = precision_of(config, on, checkpoint)
    autocast = partial(machine.autocast, on.device, precision)
    measure = partial(predictions.measure_error, data=data, autocast=autocast)
    side = config.data.image_size
    preprocessing = Preprocessing(image_size=side, resize=side, mean=data.mean, std=data.std)
    assembly = Assembly(
        config=config, origin=Origin(data.name, data.classes, preprocessing, data.skipped),
        phases=(Phase(arms, streams, plan_of(config), autocast, measure),), networks={arm.name: arm.model for arm in arms},
        precision=precision, start=int(checkpoint["step"]) if checkpoint else 0,
        seconds_before=float(checkpoint.get("seconds", 0.0)) if checkpoint else 0.0,
        card=lambda arm, _: (
            f"# {arm.model.name}\n\nTrained by ResNet Lab on {data.name}, {config.steps} steps of {config.batch} images.\n"
        ),
    )  # fmt: skip
    if checkpoint:
        assembly.load_checkpoint(checkpoint)
    return assembly


def precision_of(config: RunConfig, on: Machine, checkpoint: dict[str, Any] | None) -> Precision:
    """The number format in which a run trains, from its first step to its last."""
    if checkpoint:
        precision: Precision = checkpoint["precision"]
        return precision
    return distributed.broadcast(on.faster_precision) if config.precision == "auto" else config.precision


def new_arm(config: RunConfig, index: int, device: torch.device) -> Arm:
    """An arm in its initial state, on the device."""
    arm = config.arms[index]
    norm = CompiledBatchNorm2d if config.compile else nn.BatchNorm2d
    model = build(arm.model, arm.seed, norm).to(device).to(memory_format=torch.channels_last)
    forward = distributed.parallel(machine.compiled(model, device) if config.compile else model)
    return Arm(arm.name, arm.seed, model, optimizer(model, config.optimizer), forward)


def optimizer(model: nn.Module, config: OptimizerConfig) -> torch.optim.Optimizer:
    """The optimizer that `config` names, over the parameters of `model`."""
    decayed = [parameter for parameter in model.parameters() if config.decay == "all" or parameter.ndim > 1]
    others = [parameter for parameter in model.parameters() if config.decay == "weights" and parameter.ndim <= 1]
    groups: list[dict[str, Any]] = [
        {"params": decayed, "weight_decay": config.weight_decay},
        {"params": others, "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    if config.name == "adam":
        return torch.optim.Adam(groups, config.learning_rate, betas=(config.momentum, 0.999))
    if config.name == "muon":
        return Muon(groups, config.learning_rate, config.momentum, config.filter_rate)
    return torch.optim.SGD(groups, config.learning_rate, config.momentum, nesterov=config.nesterov)


def plan_of(config: RunConfig, first: int = 0, steps: int = 0, highest_rate: float = 0.0) -> Plan:
    """The plan of the loop: what it does in which step.

    Args:
        config: the settings of the run.
        first: the number of steps before the phase that is planned.
        steps: its own steps; by default all of the run.
        highest_rate: of its schedule, which it goes through as a whole; by default the run's.
    """
    optimizer, data, steps = config.optimizer, config.data, steps or config.steps
    schedule = warmed_up(SCHEDULES[optimizer.schedule], optimizer.warmup)
    progressive = bool(data.half_size or data.three_quarter_size)

    def progress(step: int) -> float:
        return (step - first + 0.5) / steps

    def learning_rate(step: int) -> float:
        rate = highest_rate or optimizer.learning_rate
        return rate * (0.1 if step < optimizer.low_start else schedule(progress(step)))

    def side(step: int) -> int | None:
        return data.side_at(progress(step)) if progressive else None

    return Plan(
        steps=first + steps, learning_rate=learning_rate, side=side, label_smoothing=optimizer.label_smoothing,
        log_every=config.log_every, evaluate_every=config.evaluate_every, diagnose_every=config.diagnose_every,
        checkpoint_every=config.checkpoint_every,
    )  # fmt: skip
