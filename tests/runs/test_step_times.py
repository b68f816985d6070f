"""What a run teaches about how long such runs take; the estimates themselves are asked for in test_queue.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_demo.comparison import LabSettings, comparison
from resnet_demo.runs.step_times import StepTimes, key
from resnet_demo.training.events import ArmDiverged, Event, Progress

CONFIG = comparison(LabSettings(batch=64))


def readings(images_per_second: float) -> list[Event]:
    return [Progress(step=step, images_per_second=images_per_second, seconds_left=1.0, memory_mb=1.0) for step in range(1, 6)]


def learnt(path: Path, settings: LabSettings, events: list[Event]) -> list[float]:
    step_times = StepTimes(path / "step_times.json")
    step_times.learn(comparison(settings), events)
    return [timed.step_seconds for timed in step_times.read().values()]


def test_a_run_of_two_networks_of_a_kind_tells_what_one_adds_to_a_step(tmp_path: Path) -> None:
    assert learnt(tmp_path, LabSettings(batch=64), readings(640.0)) == [pytest.approx(0.1)]
    assert list(StepTimes(tmp_path / "step_times.json").read()) == [key(CONFIG.arms[0].model, CONFIG)]


def test_what_was_read_after_one_of_them_had_diverged_tells_nothing(tmp_path: Path) -> None:
    gone = [*readings(640.0), ArmDiverged(step=5, arm="plain32-s0", loss=float("nan")), *readings(400.0), *readings(400.0)]
    assert learnt(tmp_path, LabSettings(batch=64), gone) == [pytest.approx(0.1)]
    assert learnt(tmp_path / "at once", LabSettings(batch=64), gone[5:]) == []


def test_more_networks_share_the_processors_otherwise_and_tell_nothing_of_two(tmp_path: Path) -> None:
    assert learnt(tmp_path, LabSettings(batch=64, seeds=2), readings(640.0)) == []
