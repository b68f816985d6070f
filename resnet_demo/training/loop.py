"""The training loop: a generator of events, in which every arm learns from the same batches.

One step is: learn, report, measure, save. The loop prints, plots and writes nothing. Arms of one seed see the same
augmented batch, step by step; arms of different seeds have streams of their own. A run with one arm is ordinary
training. Arms share nothing else, so they may learn one after the other or at the same time (`each`), with equal results.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet_demo.data.augment import resize
from resnet_demo.model.resnet import Dropout
from resnet_demo.training import diagnostics, distributed
from resnet_demo.training.clock import Clock
from resnet_demo.training.events import (
    ArmDiverged,
    CheckpointSaved,
    Diagnosed,
    Event,
    Measured,
    Progress,
    Resized,
    Split,
    TrainingPoint,
)
from resnet_demo.training.machine import Each

Batch = tuple[Tensor, Tensor]
"""What the networks take, images (N, 3, H, W) normalized or features (N, C), and labels (N,)."""

Autocast = Callable[[], AbstractContextManager[object]]
"""Returns a context in which forward passes are computed in the run's number format; every forward pass takes a new one."""


class Measure(Protocol):
    """The loss and error of a model on the images that the run measures on; changes neither weights nor batch statistics."""

    def __call__(self, model: nn.Module, /, *, side: int | None = None) -> tuple[float, float]:
        """Measure the model.

        Args:
            model: the network.
            side: side in pixels to which the images are resized; None leaves them as they are.

        Returns:
            The mean loss in nats and the share of wrong answers.
        """


@dataclass
class Arm:
    """A network that learns, and its readings since its last point on the curve."""

    name: str
    seed: int
    model: nn.Module
    optimizer: torch.optim.Optimizer
    forward: Callable[[Tensor], Tensor]  # the model, or the model wrapped for several processes
    diverged: bool = False
    readings: list[Tensor] = field(default_factory=list)  # (loss, error) of each step since the last point

    def state_dict(self) -> dict[str, Any]:
        """Everything that determines how this arm continues. The key "seen" is that of the checkpoints on disk."""
        readings = torch.stack(self.readings) if self.readings else torch.empty(0, 2)
        model, optimizer = self.model.state_dict(), self.optimizer.state_dict()
        random = [generator.get_state() for generator in self._generators()]
        return {"model": model, "optimizer": optimizer, "diverged": self.diverged, "seen": readings, "random": random}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from the step at which `state` was taken."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        device = next(self.model.parameters()).device  # a checkpoint is loaded on the CPU
        self.diverged, self.readings = state["diverged"], list(state["seen"].to(device))
        for generator, random in zip(self._generators(), state.get("random", ()), strict=False):  # version 0.1 has no dropout
            generator.set_state(random)

    def _generators(self) -> list[torch.Generator]:
        return [module.generator for module in self.model.modules() if isinstance(module, Dropout)]


@dataclass(frozen=True)
class Plan:
    """How long to train, and what to do when: numbers are steps, 0 means never (or only at the end)."""

    steps: int
    learning_rate: Callable[[int], float]  # from the number of completed steps to the learning rate of the next step
    side: Callable[[int], int | None] = lambda _: None  # likewise to the side of its pictures; None leaves them as they are
    label_smoothing: float = 0.0
    log_every: int = 1
    evaluate_every: int = 0
    diagnose_every: int = 0
    checkpoint_every: int = 0

    def side_change(self, step: int) -> int | None:
        """The side of the pictures of this step, if the step before it had another; else None."""
        side = self.side(step - 1)
        return side if step == 1 or side != self.side(step - 2) else None

    def diagnoses(self, step: int) -> bool:
        """Whether this step reads gradients and responses by layer."""
        return self._is_due(step, self.diagnose_every)

    def logs_after(self, step: int) -> bool:
        """Whether this step ends a point of the training curve; the last step does."""
        return step == self.steps or self._is_due(step, self.log_every)

    def measures_after(self, step: int) -> bool:
        """Whether every arm is measured after this step; after the last step it is."""
        return step == self.steps or self._is_due(step, self.evaluate_every)

    def saves_after(self, step: int) -> bool:
        """Whether a checkpoint is saved after this step; after the last step it is."""
        return step == self.steps or self._is_due(step, self.checkpoint_every)

    @staticmethod
    def _is_due(step: int, every: int) -> bool:
        return every > 0 and step % every == 0


def train(
    arms: Sequence[Arm], streams: Mapping[int, Iterator[Batch]], plan: Plan, *, autocast: Autocast, measure: Measure | None,
    save: Callable[[int], None], should_stop: Callable[[], bool] = lambda: False, start: int = 0, split: Split = "test",
    each: Each = map,
) -> Iterator[Event]:  # fmt: skip
    """Train every arm in lock-step, from step `start` to `plan.steps`.

    Args:
        arms: the networks; each is changed in place.
        streams: the batches by seed: images (N, 3, H, W) normalized, labels (N,).
        plan: what to do when.
        autocast: returns a context in which a forward pass is computed.
        measure: loss and error of a model on pictures it does not learn from, resized to the side that it trains on now; None
            if there are none.
        save: writes a checkpoint; called with the number of completed steps.
        should_stop: called after each step; if it returns true, a checkpoint is saved and the generator ends.
        start: the number of completed steps, when a run continues.
        split: the images that `measure` measures on, for the record.
        each: applies a function to each arm, one after the other as `map` does, or at once (machine.side_by_side).

    Yields:
        Changes of size, training points, measurements, diagnoses, progress, divergences and checkpoints.
    """
    clock = Clock()
    for step in range(start + 1, plan.steps + 1):
        side = plan.side_change(step)
        if side is not None:
            yield Resized(step=step, side=side)
        lesson = _next_lesson(step, streams, plan)
        active = _active(arms)
        for arm, deviations in zip(active, each(partial(_learn, lesson=lesson, autocast=autocast), active), strict=True):
            yield from _report(arm, deviations, lesson, plan)
        clock.count(lesson.images(active))
        if measure is not None and plan.measures_after(step):
            yield from _measure(arms, partial(measure, side=plan.side(step - 1)), step, split, each, clock)
        yield from _progress(clock, step, first=start + 1, steps=plan.steps)
        is_stopping = should_stop() or not _active(arms)
        if is_stopping or plan.saves_after(step):
            save(step)
            yield CheckpointSaved(step=step)
        if is_stopping:
            return


@dataclass(frozen=True)
class _Lesson:
    """What one step teaches, and how: the same for every arm of one seed."""

    step: int
    batches: Mapping[int, Batch]  # by seed
    learning_rate: float
    label_smoothing: float
    diagnose: bool

    def images(self, arms: Sequence[Arm]) -> int:
        """How many images these arms learn from in this step, over all processes."""
        return sum(len(self.batches[arm.seed][1]) for arm in arms) * distributed.world_size()


def _next_lesson(step: int, streams: Mapping[int, Iterator[Batch]], plan: Plan) -> _Lesson:
    side = plan.side(step - 1)
    batches = {seed: _resized(next(stream), side) for seed, stream in streams.items()}
    return _Lesson(step, batches, plan.learning_rate(step - 1), plan.label_smoothing, plan.diagnoses(step))


def _active(arms: Sequence[Arm]) -> list[Arm]:
    return [arm for arm in arms if not arm.diverged]


def _resized(batch: Batch, side: int | None) -> Batch:
    images, labels = batch
    return (images if side is None else resize(images, side)), labels


def _learn(arm: Arm, lesson: _Lesson, autocast: Autocast) -> list[Tensor]:
    """One step of one arm: forward, backward, update. Returns the deviation of each layer's responses if the step diagnoses."""
    images, labels = lesson.batches[arm.seed]
    arm.model.train()
    for group in arm.optimizer.param_groups:
        group["lr"] = lesson.learning_rate
    reading: AbstractContextManager[list[Tensor]] = (
        diagnostics.response_deviations(arm.model) if lesson.diagnose else nullcontext([])
    )
    with autocast(), reading as deviations:
        logits = arm.forward(images)
    logits = logits.float()
    loss = F.cross_entropy(logits, labels, label_smoothing=lesson.label_smoothing)
    arm.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    arm.optimizer.step()
    error = (logits.argmax(1) != labels).float().mean()
    arm.readings.append(torch.stack([loss.detach(), error]))
    return deviations


def _report(arm: Arm, deviations: list[Tensor], lesson: _Lesson, plan: Plan) -> Iterator[Event]:
    """The events of one arm's step: its diagnosis and its point on the training curve, where these are due."""
    if lesson.diagnose:
        yield _diagnosed(lesson.step, arm, deviations)
    if plan.logs_after(lesson.step):
        yield from _points(lesson.step, arm, lesson.learning_rate)


def _points(step: int, arm: Arm, rate: float) -> Iterator[Event]:
    """The mean of the readings since the last point, which ends the arm where it is not finite."""
    readings = torch.stack(arm.readings)
    if distributed.world_size() == 1:
        readings = readings.cpu()  # some accelerators (MPS) have no 64-bit numbers
    loss, error = distributed.all_reduce_mean(readings.double().mean(0)).tolist()
    arm.readings.clear()
    yield TrainingPoint(step=step, arm=arm.name, loss=loss, error=error, learning_rate=rate)
    if not math.isfinite(loss):
        arm.diverged = True
        yield ArmDiverged(step=step, arm=arm.name, loss=loss)


def _diagnosed(step: int, arm: Arm, deviations: list[Tensor]) -> Diagnosed:
    names = tuple(name for name, _, _ in diagnostics.layers(arm.model))
    norms = tuple(diagnostics.gradient_norms(arm.model))
    responses = tuple(float(deviation) for deviation in deviations)
    return Diagnosed(step=step, arm=arm.name, layers=names, gradient_norms=norms, response_deviations=responses)


def _measure(
    arms: Sequence[Arm], measure: Callable[[nn.Module], tuple[float, float]], step: int, split: Split, each: Each, clock: Clock
) -> Iterator[Measured]:
    """Measure every arm that still learns; the clock stands meanwhile."""
    active = _active(arms)
    with clock.stopped():
        results = list(each(measure, [arm.model for arm in active]))
    for arm, (loss, error) in zip(active, results, strict=True):
        yield Measured(step=step, arm=arm.name, split=split, loss=loss, error=error)


def _progress(clock: Clock, step: int, first: int, steps: int) -> Iterator[Progress]:
    """How fast the run is, twice a second and after the last step."""
    if step == first and step != steps:
        clock.restart()  # the first step takes longer than the others, with compiling by far
    elif step == steps or clock.is_due():
        progress = clock.progress(step, steps)
        clock.restart()
        yield progress
