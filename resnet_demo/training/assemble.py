"""Builds what the loop trains with from a run's config: networks, optimizers, batches, the plan of the loop."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import nn

from resnet_demo.config import OptimizerConfig, RunConfig
from resnet_demo.data.batches import Batches
from resnet_demo.data.dataset import Dataset
from resnet_demo.errors import RunError
from resnet_demo.evaluation import predictions
from resnet_demo.model.resnet import build
from resnet_demo.training import distributed, machine
from resnet_demo.training.compiled_batch_norm import CompiledBatchNorm2d
from resnet_demo.training.loop import Arm, Autocast, Measure, Plan
from resnet_demo.training.machine import Machine, Precision
from resnet_demo.training.schedule import SCHEDULES, warmed_up


@dataclass(frozen=True)
class Assembly:
    """Everything the loop trains with; training changes its networks, optimizers and streams in place.

    Args:
        config: the settings of the run.
        data: the data set, on the device.
        arms: the networks that learn.
        streams: the batches, by seed.
        plan: what the loop does in which step.
        precision: number format of the forward passes.
        autocast: returns the context that computes a forward pass in it.
        measure: loss and error of a model on the test (or held-out) images.
        start: the number of completed steps; 0 for a new run.
        seconds_before: the duration of these steps.
    """

    config: RunConfig
    data: Dataset
    arms: tuple[Arm, ...]
    streams: dict[int, Batches]
    plan: Plan
    precision: Precision
    autocast: Autocast
    measure: Measure
    start: int
    seconds_before: float

    def checkpoint(self, step: int, seconds: float) -> dict[str, Any]:
        """Everything that determines how the run continues after `step`."""
        return {
            "step": step, "precision": self.precision, "seconds": seconds,
            "arms": {arm.name: arm.state_dict() for arm in self.arms},
            "streams": {seed: stream.state_dict() for seed, stream in self.streams.items()},
        }  # fmt: skip

    @property
    def all_diverged(self) -> bool:
        """Whether every network has diverged, so that none still learns."""
        return all(arm.diverged for arm in self.arms)


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
        checkpoint: the state that `Assembly.checkpoint` returned; None for a new run.

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
    if checkpoint:
        for arm in arms:
            arm.load_state_dict(checkpoint["arms"][arm.name])
        for seed, stream in streams.items():
            stream.load_state_dict(checkpoint["streams"][seed])
    if checkpoint:
        precision: Precision = checkpoint["precision"]
    else:
        precision = distributed.broadcast(on.faster_precision) if config.precision == "auto" else config.precision
    autocast = partial(machine.autocast, on.device, precision)
    return Assembly(
        config=config, data=data, arms=arms, streams=streams, plan=plan_of(config), precision=precision, autocast=autocast,
        measure=partial(predictions.measure_error, data=data, autocast=autocast),
        start=int(checkpoint["step"]) if checkpoint else 0,
        seconds_before=float(checkpoint.get("seconds", 0.0)) if checkpoint else 0.0,
    )  # fmt: skip


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
    return torch.optim.SGD(groups, config.learning_rate, config.momentum, nesterov=config.nesterov)


def plan_of(config: RunConfig) -> Plan:
    """The plan of the loop: what it does in which step."""
    optimizer, data = config.optimizer, config.data
    schedule = warmed_up(SCHEDULES[optimizer.schedule], optimizer.warmup)
    progressive = bool(data.half_size or data.three_quarter_size)

    def progress(step: int) -> float:
        return (step + 0.5) / config.steps

    def learning_rate(step: int) -> float:
        return optimizer.learning_rate * (0.1 if step < optimizer.low_start else schedule(progress(step)))

    def side(step: int) -> int | None:
        return data.side_at(progress(step)) if progressive else None

    return Plan(
        steps=config.steps, learning_rate=learning_rate, side=side, label_smoothing=optimizer.label_smoothing,
        log_every=config.log_every, evaluate_every=config.evaluate_every, diagnose_every=config.diagnose_every,
        checkpoint_every=config.checkpoint_every,
    )  # fmt: skip
