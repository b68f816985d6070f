"""One run on several processes, started by torchrun. With one process, no function here has an effect."""

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
    """Join the process group if torchrun started this process; yields (rank, world size). Each process has its own accelerator.

    Raises:
        RunError: there are more processes than accelerators.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield 0, 1
        return
    if device.type != "cpu":
        index, count = int(os.environ.get("LOCAL_RANK", "0")), torch.accelerator.device_count()
        if index >= count:
            raise RunError(
                f"Process {index + 1} finds only {count} accelerators: start at most that many with --nproc-per-node."
            )
        torch.accelerator.set_device_index(index)
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield dist.get_rank(), dist.get_world_size()
    finally:
        dist.destroy_process_group()


@contextmanager
def one_after_another() -> Iterator[None]:
    """Serialize the processes that torchrun started, before they join the group, so that one downloads for all."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield
        return
    folder = home()
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / "fetching.lock"):
        yield


def is_first() -> bool:
    """Whether this is the only process, or rank 0 of those that torchrun started. Only this one prints."""
    return int(os.environ.get("RANK", "0")) == 0


def world_size() -> int:
    """The number of processes that train this run."""
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
    """The value of the first process, in every process."""
    if dist.is_initialized():
        values = [value]
        dist.broadcast_object_list(values, src=0)
        value = values[0]
    return value
