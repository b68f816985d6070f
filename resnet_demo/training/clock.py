"""How fast a run is: images a second, seconds left, memory in use."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from resnet_demo.training.events import Progress


class Clock:
    """Counts steps and images, and measures the time since its last restart; time spent measuring arms does not count."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Count from zero."""
        self._since = time.perf_counter()
        self._images = self._steps = 0
        self._excluded = 0.0  # seconds

    def count(self, images: int) -> None:
        """Count one step, in which the arms learned from so many images."""
        self._steps += 1
        self._images += images

    def is_due(self) -> bool:
        """Whether half a second has passed since the last restart."""
        return time.perf_counter() - self._since > 0.5

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """A context whose time does not count."""
        start = time.perf_counter()
        yield
        self._excluded += time.perf_counter() - start

    def progress(self, step: int, steps: int) -> Progress:
        """Read the clock after `step` of `steps`."""
        elapsed = max(time.perf_counter() - self._since - self._excluded, 1e-9)
        return Progress(
            step=step, images_per_second=self._images / elapsed, seconds_left=(steps - step) * elapsed / max(self._steps, 1),
            memory_mb=memory_mb(),
        )  # fmt: skip


def memory_mb() -> float:
    """Peak memory of the accelerator where its backend counts it, else the memory that this process uses now."""
    accelerator = torch.accelerator.current_accelerator(check_available=True)
    if accelerator is not None:
        backend = torch.get_device_module(accelerator)
        if hasattr(backend, "max_memory_allocated"):  # MPS has none, nor has torch.accelerator before torch 2.9
            return float(backend.max_memory_allocated() / 1e6)
    import psutil

    return float(psutil.Process().memory_info().rss / 1e6)
