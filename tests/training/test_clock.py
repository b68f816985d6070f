"""The clock of a run: time spent measuring does not count, and the memory is the accelerator's where it counts it."""

from __future__ import annotations

import pytest
import torch

from resnet_demo.training import clock
from resnet_demo.training.clock import Clock


def test_images_a_second_and_seconds_left_are_those_since_the_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 5.0, 6.0, 9.0, 11.0])
    monkeypatch.setattr(clock.time, "perf_counter", lambda: next(times))
    one = Clock()
    one.count(100)  # not counted after the restart at second 5
    one.restart()
    one.count(40)
    one.count(40)
    with one.stopped():  # seconds 6 to 9
        pass
    progress = one.progress(10, 30)  # at second 11: three seconds of training for two steps
    assert progress.images_per_second == pytest.approx(80 / 3)
    assert progress.seconds_left == pytest.approx(20 * 3 / 2)


def test_the_memory_is_the_accelerators_where_it_counts_it_and_else_the_processs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(torch.accelerator, "max_memory_allocated", raising=False)  # as in torch 2.8
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: 7_000_000)
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: torch.device("cuda"))
    assert clock.memory_mb() == 7
    monkeypatch.setattr(torch.accelerator, "current_accelerator", lambda **_: torch.device("mps"))
    assert clock.memory_mb() > 50
