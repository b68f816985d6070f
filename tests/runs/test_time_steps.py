"""What a network costs is timed as a comparison trains it: two of them at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from resnet_demo.comparison import LabSettings, comparison
from resnet_demo.config import ModelConfig
from resnet_demo.runs import time_steps
from resnet_demo.training.events import Event, TrainingPoint
from resnet_demo.training.loop import Arm
from resnet_demo.training.machine import Each, Machine

CPU = Machine(torch.device("cpu"))
SMALL = ModelConfig(depth=8, width=4)
CONFIG = comparison(LabSettings(depth=8, width=4, image_size=16, batch=8, steps=60, precision="fp32"))


def test_two_copies_learn_as_many_steps_and_a_step_takes_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    arms: list[Arm] = []
    optimizers: list[object] = []

    def new_arm(*arguments: Any) -> Arm:
        arm = real(*arguments)
        arm.optimizer.register_step_post_hook(lambda optimizer, *_: optimizers.append(optimizer))
        arms.append(arm)
        return arm

    real = time_steps.new_arm
    monkeypatch.setattr(time_steps, "new_arm", new_arm)
    seconds = time_steps.time_steps(SMALL, CONFIG, CPU)
    assert seconds is not None
    assert all(0 < value < 5 for value in seconds)
    assert [optimizers.count(arm.optimizer) for arm in arms] == [time_steps.STEPS, time_steps.STEPS]


def test_what_one_of_the_two_adds_is_half_of_the_median_step(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0

    def train(*_: object, **__: object) -> Iterator[Event]:
        nonlocal now
        for step, seconds in enumerate((9.0, 7.0, 2.0, 2.0, 50.0, 2.0, 3.0, 2.0), start=1):
            now += seconds
            for arm in ("one", "other"):
                yield TrainingPoint(step=step, arm=arm, loss=1.0, error=0.5, learning_rate=0.1)

    def logits(*_: object, **__: object) -> None:
        nonlocal now
        now += 10.0

    monkeypatch.setattr(time_steps, "time", SimpleNamespace(perf_counter=lambda: now))
    monkeypatch.setattr(time_steps, "train", train)
    monkeypatch.setattr(time_steps.predictions, "logits", logits)
    monkeypatch.setattr(time_steps.predictions, "loss_and_error", lambda *_: (0.0, 0.0))
    # one after the other (one thread): 20 seconds for both, over 200 pictures
    assert time_steps.time_steps(SMALL, CONFIG, CPU) == (1.0, pytest.approx(20 / 200 / 2))


def test_the_copies_learn_and_are_judged_as_those_of_a_run_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[int, str]] = []
    counts: list[int] = []

    @contextmanager
    def side_by_side(networks: int, on: torch.device) -> Iterator[Each]:
        calls.append((networks, on.type))

        def each(function: Any, things: Any) -> list[Any]:
            counts.append(len(things))
            return [function(thing) for thing in things]

        yield each

    monkeypatch.setattr(time_steps.machine, "side_by_side", side_by_side)
    assert time_steps.time_steps(SMALL, CONFIG, CPU) is not None
    assert calls == [(2, "cpu")]
    assert counts == [2] * (time_steps.STEPS + 3)  # each step, its last measurement, and two that are timed


def test_who_has_better_to_do_gets_no_answer() -> None:
    answers = iter([False, False, True])
    assert time_steps.time_steps(SMALL, CONFIG, CPU, should_stop=lambda: next(answers)) is None
