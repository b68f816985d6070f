"""Measured step times: what a run teaches, what they are kept by, and how they scale. Estimates are in test_service.py."""

from __future__ import annotations

from math import floor
from pathlib import Path

import pytest

from resnet_demo.comparison import LabSettings, comparison
from resnet_demo.config import DataConfig, ModelConfig
from resnet_demo.runs.step_times import StepTimes, key, slow_step_seconds
from resnet_demo.training.events import ArmDiverged, Event, Progress

CONFIG = comparison(LabSettings(batch=64))


def readings(images_per_second: float) -> list[Event]:
    return [Progress(step=step, images_per_second=images_per_second, seconds_left=1.0, memory_mb=1.0) for step in range(1, 6)]


def learned_seconds(path: Path, settings: LabSettings, events: list[Event]) -> list[float]:
    step_times = StepTimes(path / "step_times.json")
    step_times.learn(comparison(settings), events)
    return [timed.step_seconds for timed in step_times.read().values()]


def test_a_run_of_two_networks_of_a_kind_tells_what_one_adds_to_a_step(tmp_path: Path) -> None:
    assert learned_seconds(tmp_path, LabSettings(batch=64), readings(640.0)) == [pytest.approx(0.1)]
    step_times = StepTimes(tmp_path / "step_times.json")
    assert list(step_times.read()) == [step_times.key(CONFIG.arms[0].model, CONFIG)]


def test_what_was_read_after_one_of_them_had_diverged_tells_nothing(tmp_path: Path) -> None:
    events = [*readings(640.0), ArmDiverged(step=5, arm="plain32-s0", loss=float("nan")), *readings(400.0), *readings(400.0)]
    assert learned_seconds(tmp_path, LabSettings(batch=64), events) == [pytest.approx(0.1)]
    assert learned_seconds(tmp_path / "at once", LabSettings(batch=64), events[5:]) == []


def test_more_networks_share_the_processors_otherwise_and_tell_nothing_of_two(tmp_path: Path) -> None:
    assert learned_seconds(tmp_path, LabSettings(batch=64, seeds=2), readings(640.0)) == []


@pytest.mark.parametrize(("name", "billions"), [("resnet18", 1.8), ("resnet34", 3.6), ("resnet50", 3.8)])
def test_a_step_costs_three_times_the_multiply_adds_of_table_1(name: str, billions: float) -> None:
    config = CONFIG.model_copy(update={"batch": 10, "data": DataConfig(image_size=224)})
    multiply_adds = slow_step_seconds(ModelConfig.named(name, stride_in="1x1"), config) * 1e10 / (3 * 10)
    assert floor(multiply_adds / 1e8) / 10 == billions  # Table 1 cuts further digits off: 3.86 is 3.8 there


def test_a_network_of_another_design_is_scaled_by_its_multiply_adds(tmp_path: Path) -> None:
    config = CONFIG.model_copy(update={"batch": 1, "data": DataConfig(image_size=224)})
    step_times = StepTimes(tmp_path / "step_times.json")
    step_times.add(ModelConfig.named("resnet18"), config, step_seconds=0.01)
    scaled = step_times.step_seconds(ModelConfig.named("resnet34"), config)
    assert scaled is not None
    assert scaled / 0.01 == pytest.approx(3.67 / 1.82, abs=0.02)


def test_every_field_of_the_architecture_but_the_shortcuts_makes_another_key() -> None:
    model = ModelConfig.named("resnet50")
    changes = {
        "design": "cifar", "depth": 101, "shortcut": "A", "width": 32, "batch_norm": False, "stride_in": "1x1", "classes": 7,
        "hidden": (8,), "dropout": 0.5,
    }  # fmt: skip
    assert changes.keys() | {"residual", "shortcut_scale"} == ModelConfig.model_fields.keys()
    keys = {key(model.model_copy(update={name: value}), CONFIG, "a machine") for name, value in changes.items()}
    assert len(keys | {key(model, CONFIG, "a machine")}) == len(changes) + 1
    assert key(model.model_copy(update={"residual": False}), CONFIG, "a machine") == key(model, CONFIG, "a machine")


def test_a_time_counts_on_its_own_device_only(tmp_path: Path) -> None:
    step_times, model = StepTimes(tmp_path / "step_times.json"), CONFIG.arms[0].model
    for device, seconds in (("a slow device", 0.1), ("a fast device", 0.01)):
        step_times.use_device(device)
        assert step_times.estimate(CONFIG) is None
        assert len(step_times.missing(CONFIG)) == 1
        step_times.add(model, CONFIG, step_seconds=seconds, picture_seconds=1e-9)
        assert step_times.step_seconds(model, CONFIG) == pytest.approx(seconds)
    assert len(step_times.read()) == 2


def test_before_the_trainer_names_its_device_the_newest_time_counts(tmp_path: Path) -> None:
    step_times, model = StepTimes(tmp_path / "step_times.json"), CONFIG.arms[0].model
    for device, seconds in (("one device", 0.02), ("another device", 0.03), ("one device", 0.01)):
        step_times.use_device(device)
        step_times.add(model, CONFIG, step_seconds=seconds, picture_seconds=1e-9)
    after_a_restart = StepTimes(tmp_path / "step_times.json")
    assert after_a_restart.step_seconds(model, CONFIG) == pytest.approx(0.01)
    assert after_a_restart.missing(CONFIG) == []


def test_a_file_of_an_earlier_version_holds_no_times(tmp_path: Path) -> None:
    path = tmp_path / "step_times.json"
    path.write_text('[{"key": "host 2 cpu depth20", "multiply_adds": 1.0, "step_seconds": 0.1, "picture_seconds": 0.001}]')
    assert StepTimes(path).read() == {}
