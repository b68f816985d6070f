"""A run's whole life on one page: config -> data -> model -> train -> record."""

from __future__ import annotations

import errno
import io
import logging
import math
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

import torch
from torch import nn

from resnet_demo.config import DataConfig, ModelConfig, OptimizerConfig, RunConfig
from resnet_demo.data import dataset
from resnet_demo.data.batches import Batches
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.device import name_of
from resnet_demo.errors import ResNetDemoError, RunError
from resnet_demo.evaluation import predictions
from resnet_demo.model.resnet import build, count_parameters
from resnet_demo.training import distributed, fetching, machine
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
)
from resnet_demo.training.loop import Arm, Plan, train
from resnet_demo.training.record import Record, RecordWriter
from resnet_demo.training.schedule import SCHEDULES, warmed_up
from resnet_demo.zoo import folder as model_folder

Request = Literal["go on", "pause", "stop", "leave"]  # leave: save and end without a word, as if interrupted
ALL_DIVERGED = (
    "Every network of this run diverged: the loss or a weight was no longer a finite number; "
    "take a smaller learning rate or a warm-up."
)
log = logging.getLogger(__name__)


def run(
    config: RunConfig, folder: Path, *, resume: bool = False, request: Callable[[], Request] = lambda: "go on"
) -> Iterator[Event]:
    """Train what `config` says and keep the record in `folder`; yields each event after it is written.

    The last event is a RunFinished, RunPaused, RunStopped or RunFailed (none of them after "leave"). A run that was killed, paused or
    interrupted goes on with `resume` from its last checkpoint, bit-identically on the same machine with the
    same number of threads.

    Args:
        config: the settings.
        folder: the run's own folder.
        resume: go on with the run that is there (or begin, if it has no checkpoint yet).
        request: asked after each step whether to go on.

    Raises:
        RunError: the folder is in use, cannot be written, or holds another run; or the processes cannot share a batch evenly.
    """
    device = machine.device()
    with distributed.processes(device) as (rank, world):
        if config.batch % world:
            raise RunError(
                f"A batch of {config.batch} cannot be shared evenly by {world} processes: take a multiple of {world}."
            )
        if rank > 0:  # the first process keeps the record
            for _ in _life(config, folder, None, device, (rank, world), resume, request):
                pass
            return
        with RecordWriter(folder, config, resume=resume) as record:
            step = next((event.step for event in reversed(record.read()[0])), 0)
            try:
                for event in _life(config, folder, record, device, (rank, world), resume, request):
                    record.append(event)
                    step = event.step
                    yield event
            except Exception as error:
                if not isinstance(error, ResNetDemoError):
                    log.exception("The run in %s failed.", folder)
                failed = RunFailed(step=step, reason=reason(error))
                record.try_append_last(failed)
                yield failed


def load(config: DataConfig) -> dataset.Dataset:
    """The data set; the one that ships is kept in memory, so that a run begins at once."""
    return _bundled(config) if config.source == "bundled" else dataset.load(config)


@lru_cache(maxsize=2)
def _bundled(config: DataConfig) -> dataset.Dataset:
    return dataset.load(config)


def _life(
    config: RunConfig, folder: Path, record: RecordWriter | None, device: torch.device, part: tuple[int, int],
    resume: bool, request: Callable[[], Request],
) -> Iterator[Event]:  # fmt: skip
    begun = time.perf_counter()
    state = _load(Record(folder).checkpoint) if resume else None
    start = int(state["step"]) if state else 0
    if not (yield from fetching.fetched(config.data, request, step=start, rank=part[0])):
        return
    data = load(config.data)
    if len(data.classes) != config.arms[0].model.classes:
        raise RunError(f"{data.name} has {len(data.classes)} classes; the networks have {config.arms[0].model.classes}.")
    data = dataset.Dataset(
        data.name, data.classes, data.train.to(device), data.test.to(device), data.mean, data.std, data.skipped
    )
    arms = [new_arm(config, index, device) for index in range(len(config.arms))]
    streams: dict[int, Batches] = {}
    for seed in dict.fromkeys(arm.seed for arm in config.arms):
        padded = next((stream.source for stream in streams.values()), None)
        streams[seed] = Batches(data, config.data, config.batch, seed, part, padded)
    if state:
        for arm in arms:
            arm.load_state_dict(state["arms"][arm.name])
        for seed, stream in streams.items():
            stream.load_state_dict(state["streams"][seed])
    seconds_before = state.get("seconds", 0.0) if state else 0.0
    precision = state["precision"] if state else config.precision
    if precision == "auto":
        precision = distributed.agreed(machine.faster_precision(device))
    autocast = partial(machine.autocast, device, precision)
    measure = partial(predictions.judge, data=data, autocast=autocast)

    def seconds() -> float:
        return float(seconds_before + time.perf_counter() - begun)

    def save(step: int) -> None:
        if record is not None:
            content = {
                "step": step, "precision": precision, "seconds": seconds(),
                "arms": {arm.name: arm.state_dict() for arm in arms},
                "streams": {seed: stream.state_dict() for seed, stream in streams.items()},
            }  # fmt: skip
            record.save_checkpoint(_dumped(content))

    steps_per_epoch = next(iter(streams.values())).per_epoch
    yield RunStarted(
        time=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        step=start, steps=config.steps, steps_per_epoch=steps_per_epoch,
        device=name_of(device), precision=precision, threads=torch.get_num_threads(), processes=part[1],
        torch=torch.__version__, commit=_commit(), parameters={arm.name: count_parameters(arm.model) for arm in arms},
        skipped=data.skipped,
    )  # fmt: skip
    asked: Request = "go on"

    def should_stop() -> bool:
        nonlocal asked
        asked = distributed.agreed(request())
        return asked != "go on"

    split: Split = "held-out" if config.data.held_out else "test"
    step, measured = start, set()
    plan = plan_of(config)
    stays = start and (should_stop() or all(arm.diverged for arm in arms))  # continued only to be stopped where it was
    with machine.side_by_side(len(arms), device) as each:
        training = train(
            arms, streams, plan, autocast=autocast, measure=measure, save=save, should_stop=should_stop,
            start=start, split=split, each=each,
        )  # fmt: skip
        for event in () if stays else training:
            step = event.step
            if isinstance(event, Measured):
                measured.add((event.arm, event.step))
            yield event
    if asked == "leave" and step < config.steps:
        return
    if asked == "pause" and step < config.steps:
        yield RunPaused(step=step)
        return
    for arm in arms:
        if not arm.diverged and not _is_finite(arm.model):
            arm.diverged = True
            yield ArmDiverged(step=step, arm=arm.name, loss=math.nan)
    if all(arm.diverged for arm in arms):
        yield RunFailed(step=step, reason=ALL_DIVERGED)
        return
    if step < config.steps:
        for arm in arms:
            if not arm.diverged and (arm.name, step) not in measured:
                loss, error = measure(arm.model)
                yield Measured(step=step, arm=arm.name, split=split, loss=loss, error=error)
    if record is not None:
        errors = {event.arm: event.error for event in record.events() if isinstance(event, Measured)}
        judged_on_all = not config.data.held_out and not config.data.test_limit
        for arm, wanted in zip(arms, config.arms, strict=True):
            if not arm.diverged:
                accuracy = 1 - errors[arm.name] if judged_on_all else None
                _write_arm(folder / "arms" / arm.name, wanted.model, arm.model, data, config, accuracy)
    yield RunFinished(step=step, seconds=seconds()) if step == config.steps else RunStopped(step=step, seconds=seconds())


def _is_finite(model: nn.Module) -> bool:
    return all(bool(torch.isfinite(value).all()) for value in model.state_dict().values())


def new_arm(config: RunConfig, index: int, device: torch.device) -> Arm:
    """An arm of a run as it begins, on the device."""
    wanted = config.arms[index]
    model = build(wanted.model, wanted.seed).to(device).to(memory_format=torch.channels_last)
    forward = distributed.parallel(machine.compiled(model, device) if config.compile else model)
    return Arm(wanted.name, wanted.seed, model, optimizer(model, config.optimizer), forward)


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
    """What the loop does when."""
    optimizer, data = config.optimizer, config.data
    schedule = warmed_up(SCHEDULES[optimizer.schedule], optimizer.warmup)

    def learning_rate(step: int) -> float:
        factor = 0.1 if step < optimizer.low_start else schedule((step + 0.5) / config.steps)
        return optimizer.learning_rate * factor

    progressive = bool(data.half_size or data.three_quarter_size)
    return Plan(
        steps=config.steps,
        learning_rate=learning_rate,
        side=lambda step: data.side_at((step + 0.5) / config.steps) if progressive else None,
        label_smoothing=optimizer.label_smoothing,
        log_every=config.log_every,
        evaluate_every=config.evaluate_every,
        diagnose_every=config.diagnose_every,
        checkpoint_every=config.checkpoint_every,
    )


def _dumped(content: dict[str, Any]) -> memoryview:
    file = io.BytesIO()  # torch.save straight into a file hides why writing failed
    torch.save(content, file)
    return file.getbuffer()


def _load(checkpoint: Path) -> dict[str, Any] | None:
    if not checkpoint.exists():
        return None
    try:
        loaded: dict[str, Any] = torch.load(checkpoint, map_location="cpu", weights_only=True)
    except Exception as error:
        raise RunError(f"{checkpoint} is damaged; the run can only begin anew.") from error
    return loaded


def _write_arm(
    target: Path, architecture: ModelConfig, model: nn.Module, data: dataset.Dataset, config: RunConfig, accuracy: float | None
) -> None:
    size = config.data.image_size
    content = model_folder.ModelFolder(
        architecture=architecture,
        classes=data.classes,
        preprocessing=Preprocessing(image_size=size, resize=size, mean=data.mean, std=data.std),
        test_accuracy=accuracy,
        trained_on=data.name,
    )
    card = f"# {architecture.name}\n\nTrained by ResNet Lab on {data.name}, {config.steps} steps of {config.batch} images.\n"
    model_folder.write(target, content, model.state_dict(), card)


def reason(error: BaseException) -> str:
    """Why a run failed, in a sentence for a person."""
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
    """The commit of the code, where it is a git checkout."""
    command = ["git", "-C", str(Path(__file__).parent), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=5, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
