"""One run on several processes, started by torchrun; on one process every function here does nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch
import torch.distributed as dist
from filelock import FileLock
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from resnet_demo.errors import RunError
from resnet_demo.files import home

Value = TypeVar("Value", bound=str)


@contextmanager
def processes(device: torch.device) -> Iterator[tuple[int, int]]:
    """Join the other processes if torchrun started this one, each on an accelerator of its own; gives (rank, world size).

    Raises:
        RunError: there are more processes than accelerators.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield 0, 1
        return
    if device.type != "cpu":
        index, found = int(os.environ.get("LOCAL_RANK", "0")), torch.accelerator.device_count()
        if index >= found:
            raise RunError(
                f"Process {index + 1} finds only {found} accelerators: start at most that many with --nproc-per-node."
            )
        torch.accelerator.set_device_index(index)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield dist.get_rank(), dist.get_world_size()
    finally:
        dist.destroy_process_group()


@contextmanager
def one_after_another() -> Iterator[None]:
    """Let the processes that torchrun started do something in turn before they have joined, so that one fetches for all."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    folder = home()
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "fetching.lock"):
        yield


def is_first() -> bool:
    """Whether this is the only process, or the first of those that torchrun started: the one that speaks for all."""
    return int(os.environ.get("RANK", "0")) == 0


def world_size() -> int:
    """How many processes train this run."""
    return dist.get_world_size() if dist.is_initialized() else 1


def parallel(model: nn.Module) -> nn.Module:
    """The model, with its gradients averaged over the processes."""
    return DistributedDataParallel(model) if dist.is_initialized() else model


def all_reduce_mean(value: Tensor) -> Tensor:
    """The mean of a value over the processes."""
    if dist.is_initialized():
        dist.all_reduce(value)
        value = value / world_size()
    return value


def broadcast(value: Value) -> Value:
    """The value that the first process gives, in every process."""
    if dist.is_initialized():
        values = [value]
        dist.broadcast_object_list(values, src=0)
        value = values[0]
    return value
