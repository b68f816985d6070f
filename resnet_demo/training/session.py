"""A run's whole life on one page: prepare, start, train, conclude."""

from __future__ import annotations

import errno
import logging
import math
import subprocess
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Literal

import torch

from resnet_demo.config import DataConfig, RunConfig
from resnet_demo.data import dataset
from resnet_demo.device import name_of
from resnet_demo.errors import ResNetDemoError, RunError
from resnet_demo.model.cost import cost
from resnet_demo.training import checkpoint, distributed, fetching, machine
from resnet_demo.training.assemble import Assembly, assemble
from resnet_demo.training.events import (
    ArmDiverged,
    Event,
    Measured,
    RunFailed,
    RunFinished,
    RunPaused,
    RunStarted,
    RunStopped,
    Split,
    TransferMeasured,
)
from resnet_demo.training.loop import Arm, train
from resnet_demo.training.machine import Machine
from resnet_demo.training.record import Record, RecordWriter

Request = Literal["go on", "pause", "stop", "leave"]  # leave: save a checkpoint and exit without an event, as if interrupted
ALL_DIVERGED = (
    "Every network of this run diverged: the loss or a weight was no longer a finite number; "
    "take a smaller learning rate or a warm-up."
)
log = logging.getLogger(__name__)


class Requests:
    """Polls what the user wants of a run; all of its processes receive the same answer."""

    def __init__(self, ask: Callable[[], Request]) -> None:
        self._ask = ask
        self.latest: Request = "go on"

    def should_stop(self) -> bool:
        """Poll once and store the answer in `latest`; whether the run ends now."""
        self.latest = distributed.broadcast(self._ask())
        return self.latest != "go on"


@dataclass(frozen=True)
class Session:
    """One process that trains a run, from its start or from a checkpoint to its end or its next pause."""

    config: RunConfig
    folder: Path
    resume: bool
    ask: Callable[[], Request]
    requests: Requests
    machine: Machine
    load: Callable[[DataConfig], dataset.Dataset]
    prepare: Prepare
    rank: int
    world_size: int
    start_time: float  # of time.perf_counter()


Prepare = Callable[[Session], Generator[Event, None, Assembly | None]]
"""Yields while it waits for what a run needs; returns what it trains with, or None if the run ended meanwhile."""


@dataclass(frozen=True)
class Outcome:
    """Where training ended: the number of completed steps, and the arms measured after the last of them."""

    step: int
    measured: frozenset[str]


def run(
    config: RunConfig, folder: Path, *, resume: bool = False, request: Callable[[], Request] = lambda: "go on",
    on: Machine | None = None, load: Callable[[DataConfig], dataset.Dataset] = dataset.load, prepare: Prepare | None = None,
) -> Iterator[Event]:  # fmt: skip
    """Train the networks of `config` and write the record in `folder`; yields each event after it is written.

    The last event is a RunFinished, RunPaused, RunStopped or RunFailed (none of them after "leave"). With `resume`, a run
    that was killed, paused or interrupted continues from its last checkpoint, with bit-identical results on the same
    machine with the same number of threads.

    Args:
        config: the settings.
        folder: the folder of this run alone.
        resume: continue the run in the folder (or start it, if it has no checkpoint yet).
        request: polled after each step: continue, pause, stop or leave.
        on: the machine that trains; by default the accelerator of this computer, or its CPU.
        load: loads the data set; the worker process passes a cache of the bundled one.
        prepare: assembles the run; by default, networks that learn from scratch. transfer/preparation.py has the other one.

    Raises:
        RunError: the folder is in use, not writable, or holds another run; or the batch does not divide by the processes.
    """
    on = on or Machine()
    with distributed.processes(on.device) as (rank, world_size):
        if config.batch % world_size:
            raise RunError(
                f"A batch of {config.batch} cannot be shared evenly by {world_size} processes: take a multiple of {world_size}."
            )
        session = Session(
            config, folder, resume, request, Requests(request), on, load, prepare or _prepare, rank, world_size,
            start_time=time.perf_counter(),
        )  # fmt: skip
        if rank > 0:  # only the first process writes the record
            for _ in _life(session, None):
                pass
            return
        with RecordWriter(folder, config, resume=resume) as record:
            yield from _recorded(record, _life(session, record))


def _recorded(record: RecordWriter, events: Iterator[Event]) -> Iterator[Event]:
    """Write each event to the record, then yield it; an exception becomes a RunFailed event."""
    step = next((event.step for event in reversed(record.read()[0])), 0)
    try:
        for event in events:
            record.append(event)
            step = event.step
            yield event
    except Exception as error:
        if not isinstance(error, ResNetDemoError):
            log.exception("The run in %s failed.", record.folder)
        failed = RunFailed(step=step, reason=failure_reason(error))
        record.try_append_last(failed)
        yield failed


def _life(session: Session, record: RecordWriter | None) -> Iterator[Event]:
    assembly = yield from session.prepare(session)
    if assembly is None:
        return
    yield _started(session, assembly)
    outcome = yield from _train(session, assembly, record)
    yield from _conclude(session, assembly, outcome, record)


def _prepare(session: Session) -> Generator[Event, None, Assembly | None]:
    """Read the checkpoint, fetch the data and assemble the run; None if the run ended while it waited for the data."""
    saved = checkpoint.read(Record(session.folder).checkpoint) if session.resume else None
    start = int(saved["step"]) if saved else 0
    is_local = yield from fetching.fetch_data(session.config.data, session.ask, step=start, rank=session.rank)
    if not is_local:
        return None
    data = session.load(session.config.data)
    return assemble(session.config, data, session.machine, rank=session.rank, world_size=session.world_size, checkpoint=saved)


def _started(session: Session, assembly: Assembly) -> RunStarted:
    config = session.config
    return RunStarted(
        time=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        step=assembly.start,
        steps=config.steps,
        steps_per_epoch=next(iter(assembly.phases[0].streams.values())).per_epoch,
        device=name_of(session.machine.device),
        precision=assembly.precision,
        threads=torch.get_num_threads(),
        processes=session.world_size,
        torch=torch.__version__,
        commit=_commit(),
        parameters={arm.name: cost(arm.model).parameters for arm in config.arms},
        skipped=assembly.origin.skipped,
    )


def _train(session: Session, assembly: Assembly, record: RecordWriter | None) -> Generator[Event, None, Outcome]:
    def save(step: int) -> None:
        if record is not None:
            record.save_checkpoint(checkpoint.to_bytes(assembly.checkpoint(step, _seconds(session, assembly))))

    step, measured = assembly.start, {}
    if step > 0:  # a run may be resumed only to be stopped at the same step
        stop = session.requests.should_stop()
        if stop or assembly.phases[assembly.phase_at(step)].all_diverged:
            return Outcome(step, frozenset())
    for phase in assembly.phases:
        if phase.plan.steps <= step:
            continue  # trained before this session
        if step == phase.first:
            yield from phase.started()
        with machine.side_by_side(len(phase.arms), session.machine.device) as each:
            for event in train(
                phase.arms, phase.streams, phase.plan, autocast=phase.autocast, measure=phase.measure, save=save,
                should_stop=session.requests.should_stop, start=step, split=_split(session.config), each=each,
            ):  # fmt: skip
                step = event.step
                if isinstance(event, Measured):
                    measured[event.arm] = step
                yield event
        if session.requests.latest != "go on" or step < phase.plan.steps:
            break
    return Outcome(step, frozenset(arm for arm, at in measured.items() if at == step))


def _conclude(session: Session, assembly: Assembly, outcome: Outcome, record: RecordWriter | None) -> Iterator[Event]:
    """Pause; or measure the arms, write their weights and yield the event that ends the run."""
    step, config = outcome.step, session.config
    is_finished = step == config.steps
    if not is_finished and session.requests.latest in ("leave", "pause"):
        if session.requests.latest == "pause":
            yield RunPaused(step=step)
        return
    arms, phase = assembly.arms_at(step), assembly.phases[assembly.phase_at(step)]
    for arm in arms.values():
        if not arm.diverged and not all(bool(torch.isfinite(value).all()) for value in arm.model.state_dict().values()):
            arm.diverged = True
            yield ArmDiverged(step=step, arm=arm.name, loss=math.nan)
    if all(arm.diverged for arm in arms.values()):
        yield RunFailed(step=step, reason=ALL_DIVERGED)
        return
    for arm in phase.arms:
        if not is_finished and not arm.diverged and arm.name not in outcome.measured and phase.measure is not None:
            loss, error = phase.measure(arm.model)
            yield Measured(step=step, arm=arm.name, split=_split(config), loss=loss, error=error)
    is_reported = yield from assembly.report(step, lambda: _seconds(session, assembly))
    if not is_reported:
        return
    if record is not None:
        _write_weights(session, assembly, record, arms)
    seconds = _seconds(session, assembly)
    yield RunFinished(step=step, seconds=seconds) if is_finished else RunStopped(step=step, seconds=seconds)


def _write_weights(session: Session, assembly: Assembly, record: RecordWriter, arms: Mapping[str, Arm]) -> None:
    """Write the weights of every network that did not diverge, with its accuracy if the run measured all test images."""
    config, events = session.config, record.events()
    accuracies = _test_accuracies(events)
    for arm in config.arms:
        if arm.name in arms and not arms[arm.name].diverged:
            accuracy = None if config.data.test_limit else accuracies.get(arm.name)
            target = session.folder / "arms" / arm.name
            card, network = assembly.card(arm, events), assembly.networks[arm.name]
            checkpoint.write_weights(target, arm.model, network, assembly.origin, card, accuracy)


def _test_accuracies(events: Iterable[Event]) -> dict[str, float]:
    """The accuracy on the test images by arm, where the run measured it last."""
    accuracies: dict[str, float] = {}
    for event in events:
        if isinstance(event, Measured) and event.split == "test":
            accuracies[event.arm] = 1 - event.error
        elif isinstance(event, TransferMeasured):
            accuracies |= {baseline.arm: baseline.test_accuracy for baseline in event.baselines}
            accuracies[event.arm] = event.test_accuracy
    return accuracies


def _split(config: RunConfig) -> Split:
    return "held-out" if config.data.held_out or config.transfer else "test"


def _seconds(session: Session, assembly: Assembly) -> float:
    """The duration of the run so far, including the processes before this one."""
    return assembly.seconds_before + time.perf_counter() - session.start_time


def failure_reason(error: BaseException) -> str:
    """The reason of a failure, in a sentence for the user."""
    if isinstance(error, ResNetDemoError):
        return str(error)
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)) or "can't allocate memory" in str(error):
        return "The memory is full. Take a smaller batch, smaller pictures, a shallower network or fewer seeds."
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return "The disk is full. Make room where the runs are kept, then continue the run."
    if isinstance(error, OSError) and error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"The run's folder cannot be written ({error.strerror}). Make it writable, then continue the run."
    return f"The run failed: {type(error).__name__}: {error}"


def _commit() -> str:
    """The git commit of the code; empty outside a checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
