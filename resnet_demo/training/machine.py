"""The machine that trains: its device, its faster number format, parallel networks, and reuse of memory."""

from __future__ import annotations

import ctypes
import sys
import textwrap
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from typing import Any, Literal, cast

import torch
import torch.nn.functional as F
from torch import nn

from resnet_demo.device import choose
from resnet_demo.errors import RunError
from resnet_demo.training import distributed

Precision = Literal["fp32", "bf16"]
MOST_AT_ONCE = 4  # networks; each holds the activations for its backward pass in memory
Each = Callable[[Callable[[Any], Any], Iterable[Any]], Iterable[Any]]
"""The signature of `map`: applies a function to each item, and returns the results in the order of the items."""


class Machine:
    """A device, and the number format that trains faster on it.

    Args:
        device: by default the accelerator torch finds (CUDA, ROCm, MPS, XPU) if it works, else the CPU.
    """

    def __init__(self, device: torch.device | None = None) -> None:
        self.device = choose().device if device is None else device

    @cached_property
    def faster_precision(self) -> Precision:
        """The faster number format, measured on first use."""
        return faster_precision(self.device)


def faster_precision(on: torch.device) -> Precision:
    """Time training steps of three convolutions in both formats and return the faster one; about a second on a CPU.

    bf16 is faster only on processors with instructions for it. fp16 is not an option: plain networks overflow in it.
    """
    times: dict[Precision, list[float]] = {"fp32": [], "bf16": []}
    for _ in range(4):  # alternate, so that other load on the machine slows both formats equally
        for precision, seconds in times.items():
            seconds += _seconds(on, precision)
    return "bf16" if min(times["bf16"]) < 0.9 * min(times["fp32"]) else "fp32"


def autocast(on: torch.device, precision: str) -> torch.autocast:
    """A context that computes forward passes in this format; each thread needs its own."""
    return torch.autocast(on.type, torch.bfloat16, enabled=precision == "bf16")


def compiled(model: nn.Module, on: torch.device) -> nn.Module:
    """The model with its forward and backward pass compiled for this machine; shares its weights with `model`.

    Raises:
        RunError: torch.compile fails on this machine, even for a single addition.
    """
    try:
        torch.compile(lambda x: x + 1)(torch.zeros(1, device=on))
    except Exception as error:
        why = textwrap.shorten((str(error).splitlines() or [type(error).__name__])[0], 200)
        needs = "on a CPU it needs a C++ compiler and Python's headers" if on.type == "cpu" else "the run needs it"
        raise RunError(f"torch.compile does not work here ({why}); {needs}.") from error
    return cast("nn.Module", torch.compile(model, dynamic=False))


def _seconds(on: torch.device, precision: str) -> list[float]:
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(32, 32, 32, 32, generator=generator).to(on, memory_format=torch.channels_last)
    weight = torch.randn(32, 32, 3, 3, generator=generator).to(on).requires_grad_()
    times = []
    for _ in range(4):
        start = time.perf_counter()
        with torch.enable_grad(), autocast(on, precision):
            x = images
            for _ in range(3):
                x = F.relu(F.conv2d(x, weight, padding=1))
        x.float().mean().backward()
        if on.type != "cpu":
            torch.accelerator.synchronize()
        times.append(time.perf_counter() - start)
    return times[1:]


@contextmanager
def side_by_side(networks: int, on: torch.device) -> Iterator[Each]:
    """Yield a `map` that processes several networks in parallel threads on a CPU, and is the built-in `map` elsewhere.

    The networks share torch's threads equally, and the results of a network depend only on the size of its share. Two
    small networks on two cores, one thread each, train 1.8 times as fast as one after the other on one thread (LOG.md);
    two threads within each operation gain less. One network is enough to occupy an accelerator.
    """
    threads = torch.get_num_threads()
    at_once = min(networks, threads, MOST_AT_ONCE) if on.type == "cpu" and distributed.world_size() == 1 else 1
    if at_once == 1:
        yield map
        return
    try:
        with ThreadPoolExecutor(at_once, "network", torch.set_num_threads, (threads // at_once,)) as pool:
            yield pool.map
    finally:
        torch.set_num_threads(threads)  # new threads inherit the number that a thread sets


def keep_memory() -> bool:
    """Make glibc keep freed memory instead of returning it to the system after each step; about 10 % faster.

    Only for a process that does nothing but train: its memory stays at its peak.

    Returns:
        Whether glibc accepted the options; False with other C libraries.
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL("libc.so.6").mallopt
    except (OSError, AttributeError):
        return False
    trim_threshold, top_pad, mmap_threshold = -1, -2, -3  # malloc.h
    keep = ((mmap_threshold, 1 << 30), (trim_threshold, 2**31 - 1), (top_pad, 1 << 28))
    return all(mallopt(option, value) == 1 for option, value in keep)
