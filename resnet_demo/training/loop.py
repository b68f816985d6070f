"""The training loop: a generator of events, in which every arm learns from the same batches.

It prints, plots and writes nothing. Arms of one seed see the same augmented batch, step by step; arms of
different seeds have streams of their own. A run with one arm is ordinary training. Arms share nothing else, so
they may learn one after the other or at the same time (`each`), with equal results.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from resnet_demo.data.augment import resize
from resnet_demo.training import diagnostics, distributed
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
Autocast = Callable[[], AbstractContextManager[object]]


class Measure(Protocol):
    """Loss and error of a model on pictures it does not learn from, resized to `side` pixels if that is given."""

    def __call__(self, model: nn.Module, /, *, side: int | None = None) -> tuple[float, float]:
        """(loss in nats, share of wrong answers)."""


@dataclass
class Arm:
    """A network that learns, and what it has seen since its last point on the curve."""

    name: str
    seed: int
    model: nn.Module
    optimizer: torch.optim.Optimizer
    forward: Callable[[Tensor], Tensor]  # the model, or the model wrapped for several processes
    diverged: bool = False
    seen: list[Tensor] = field(default_factory=list)  # (loss, error) of each step since the last point

    def state_dict(self) -> dict[str, Any]:
        """All that decides how this arm goes on."""
        seen = torch.stack(self.seen) if self.seen else torch.empty(0, 2)
        model, optimizer = self.model.state_dict(), self.optimizer.state_dict()
        return {"model": model, "optimizer": optimizer, "diverged": self.diverged, "seen": seen}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        device = next(self.model.parameters()).device  # a checkpoint is loaded on the CPU
        self.diverged, self.seen = state["diverged"], list(state["seen"].to(device))


@dataclass(frozen=True)
class Plan:
    """How long to train, and what to do when: numbers are steps, 0 means never (or only at the end)."""

    steps: int
    learning_rate: Callable[[int], float]  # from the number of steps done to the learning rate of the next
    side: Callable[[int], int | None] = lambda _step: (
        None
    )  # from the steps done to the side of the next pictures; None: as they are
    label_smoothing: float = 0.0
    log_every: int = 1
    evaluate_every: int = 0
    diagnose_every: int = 0
    checkpoint_every: int = 0


def train(
    arms: Sequence[Arm],
    streams: Mapping[int, Iterator[Batch]],
    plan: Plan,
    *,
    autocast: Autocast,
    measure: Measure,
    save: Callable[[int], None],
    should_stop: Callable[[], bool] = lambda: False,
    start: int = 0,
    split: Split = "test",
    each: Each = map,
) -> Iterator[Event]:
    """Train every arm in lock-step, from step `start` to `plan.steps`.

    Args:
        arms: the networks; each is changed in place.
        streams: the batches by seed: images (N, 3, H, W) normalized, labels (N,).
        plan: what to do when.
        autocast: gives a context in which forward passes are computed.
        measure: loss and error of a model on pictures it does not learn from, resized to the side that it trains on now.
        save: writes a checkpoint; called with the number of steps done.
        should_stop: asked after each step; when true, a checkpoint is saved and the generator ends.
        start: steps already done, when a run goes on.
        split: what `measure` measures on, for the record.
        each: does something for each arm, as `map` does, or at the same time (machine.side_by_side).

    Yields:
        Changes of size, training points, measurements, diagnoses, progress, divergences and checkpoints.
    """
    clock = _Clock()
    for step in range(start + 1, plan.steps + 1):
        side, last = plan.side(step - 1), step == plan.steps
        if side is not None and (step == 1 or side != plan.side(step - 2)):
            yield Resized(step=step, side=side)
        batches = {seed: _resized(next(stream), side) for seed, stream in streams.items()}
        clock.images += sum(len(batches[arm.seed][1]) for arm in arms if not arm.diverged) * distributed.world_size()
        yield from _learn_all(arms, step, batches, plan, autocast, each)
        if last or _due(step, plan.evaluate_every):
            with clock.stopped():
                results = _measure_all(arms, partial(measure, side=side), each)
            for name, (loss, error) in results.items():
                yield Measured(step=step, arm=name, split=split, loss=loss, error=error)
        if step == start + 1 and not last:
            clock = _Clock()  # the first step takes longer than the others, with compiling by far
        elif last or clock.due():
            yield clock.progress(step, plan.steps)
        stopping = should_stop() or all(arm.diverged for arm in arms)
        if last or stopping or _due(step, plan.checkpoint_every):
            save(step)
            yield CheckpointSaved(step=step)
        if stopping:
            return


def _resized(batch: Batch, side: int | None) -> Batch:
    images, labels = batch
    return (images if side is None else resize(images, side)), labels


def _learn_all(
    arms: Sequence[Arm], step: int, batches: Mapping[int, Batch], plan: Plan, autocast: Autocast, each: Each
) -> Iterator[Event]:
    """One step of every arm that has not diverged; yields what is to be told of it."""
    rate, diagnose = plan.learning_rate(step - 1), _due(step, plan.diagnose_every)
    learn = partial(_learn, batches=batches, rate=rate, smoothing=plan.label_smoothing, autocast=autocast, diagnose=diagnose)
    learning = [arm for arm in arms if not arm.diverged]
    for arm, deviations in zip(learning, each(learn, learning), strict=True):
        if diagnose:
            yield _diagnosed(step, arm, deviations)
        if step == plan.steps or _due(step, plan.log_every):
            yield from _points(step, arm, rate)


def _measure_all(
    arms: Sequence[Arm], measure: Callable[[nn.Module], tuple[float, float]], each: Each
) -> dict[str, tuple[float, float]]:
    """Loss and error of every arm that has not diverged, by name."""
    measured = [arm for arm in arms if not arm.diverged]
    results = each(measure, [arm.model for arm in measured])
    return {arm.name: result for arm, result in zip(measured, results, strict=True)}


def _due(step: int, every: int) -> bool:
    return every > 0 and step % every == 0


def _learn(
    arm: Arm, batches: Mapping[int, Batch], rate: float, smoothing: float, autocast: Autocast, diagnose: bool
) -> list[Tensor]:
    """One step of one arm: forward, backward, update. Gives the deviation of each layer's responses if asked to diagnose."""
    images, labels = batches[arm.seed]
    arm.model.train()
    for group in arm.optimizer.param_groups:
        group["lr"] = rate
    reading: AbstractContextManager[list[Tensor]] = diagnostics.response_deviations(arm.model) if diagnose else nullcontext([])
    with autocast(), reading as deviations:
        logits = arm.forward(images)
    logits = logits.float()
    loss = F.cross_entropy(logits, labels, label_smoothing=smoothing)
    arm.optimizer.zero_grad(set_to_none=True)
    loss.backward()
    arm.optimizer.step()
    error = (logits.argmax(1) != labels).float().mean()
    arm.seen.append(torch.stack([loss.detach(), error]))
    return deviations


def _points(step: int, arm: Arm, rate: float) -> Iterator[Event]:
    seen = torch.stack(arm.seen)
    if distributed.world_size() == 1:
        seen = seen.cpu()  # not every accelerator (MPS) has numbers of 64 bits
    loss, error = distributed.all_reduce_mean(seen.double().mean(0)).tolist()
    arm.seen.clear()
    yield TrainingPoint(step=step, arm=arm.name, loss=loss, error=error, learning_rate=rate)
    if not math.isfinite(loss):
        arm.diverged = True
        yield ArmDiverged(step=step, arm=arm.name, loss=loss)


def _diagnosed(step: int, arm: Arm, deviations: list[Tensor]) -> Diagnosed:
    names = tuple(name for name, _, _ in diagnostics.layers(arm.model))
    norms = tuple(diagnostics.gradient_norms(arm.model))
    responses = tuple(float(deviation) for deviation in deviations)
    return Diagnosed(step=step, arm=arm.name, layers=names, gradient_norms=norms, response_deviations=responses)


class _Clock:
    """Pictures a second since the last reading; time spent measuring does not count."""

    def __init__(self) -> None:
        self.images = 0
        self._started = self._reading = time.perf_counter()
        self._steps = 0
        self._paused = 0.0

    def due(self) -> bool:
        """Whether half a second has passed since the last reading."""
        self._steps += 1
        return time.perf_counter() - self._reading > 0.5

    def stopped(self) -> _Stopped:
        """A context whose time does not count."""
        return _Stopped(self)

    def exclude(self, seconds: float) -> None:
        """Leave out some seconds."""
        self._paused += seconds

    def progress(self, step: int, steps: int) -> Progress:
        """Read the clock and start anew."""
        now = time.perf_counter()
        elapsed = max(now - self._reading - self._paused, 1e-9)
        per_step = elapsed / max(self._steps, 1)
        reading = Progress(
            step=step,
            images_per_second=self.images / elapsed,
            seconds_left=(steps - step) * per_step,
            memory_mb=_memory_mb(),
        )
        self._reading, self._paused, self.images, self._steps = now, 0.0, 0, 0
        return reading


class _Stopped:
    def __init__(self, clock: _Clock) -> None:
        self._clock = clock

    def __enter__(self) -> None:
        self._entered = time.perf_counter()

    def __exit__(self, *exception: object) -> None:
        self._clock.exclude(time.perf_counter() - self._entered)


def _memory_mb() -> float:
    found = torch.accelerator.current_accelerator(check_available=True)
    if found is not None:
        backend = torch.get_device_module(found)
        if hasattr(backend, "max_memory_allocated"):  # MPS has not, nor has torch.accelerator before torch 2.9
            return float(backend.max_memory_allocated() / 1e6)
    import psutil

    return float(psutil.Process().memory_info().rss / 1e6)
