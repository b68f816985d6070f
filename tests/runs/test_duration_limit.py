"""Who may start which run."""

from __future__ import annotations

import pytest

from resnet_demo.comparison import PRESETS, LabSettings, comparison
from resnet_demo.errors import SettingError
from resnet_demo.runs.duration_limit import DurationLimit, expected_seconds
from resnet_demo.runs.step_times import Estimate

ANYONE = DurationLimit()
PAPER = comparison(PRESETS["The paper's recipe"].settings)


def test_the_time_that_was_measured_decides_and_the_sentence_says_what_would_fit() -> None:
    ANYONE.check_duration(PAPER, Estimate(1_800, "measured"))
    with pytest.raises(SettingError) as refused:
        ANYONE.check_duration(PAPER, Estimate(36_000, "measured"))
    assert str(refused.value) == (
        "This run of 64,000 steps (164.1 epochs) would take about 10 hours here, and without the teacher's token a run may "
        "take 30 minutes: take at most 3,200 steps (8.2 epochs), or give the token."  # of 390 whole batches of 128 in 50,000
    )


def test_the_epochs_that_are_named_fit() -> None:
    config = comparison(LabSettings(epochs=100))
    with pytest.raises(SettingError, match=r"take at most 620 steps \(10\.0 epochs\)"):
        ANYONE.check_duration(config, Estimate(18_000, "measured"))
    with pytest.raises(SettingError, match=r"take at most 619 steps \(9\.9 epochs\)"):
        ANYONE.check_duration(config, Estimate(18_001, "measured"))


def test_a_run_that_was_not_made_in_the_lab_is_told_in_steps() -> None:
    alone = PAPER.model_copy(update={"arms": PAPER.arms[:1]})
    with pytest.raises(SettingError, match=r"^This run of 64,000 steps would take .* at most 3,200 steps, or"):
        ANYONE.check_duration(alone, Estimate(36_000, "measured"))


def test_a_run_of_which_no_step_fits_is_told_to_be_made_smaller() -> None:
    with pytest.raises(SettingError, match="take smaller networks, pictures or batches"):
        ANYONE.check_duration(comparison(LabSettings(steps=2, warmup=0)), Estimate(10_000, "scaled"))


def test_before_anything_was_measured_every_preset_but_the_papers_is_covered() -> None:
    covered = [name for name, preset in PRESETS.items() if ANYONE.covers(comparison(preset.settings), None)]
    assert covered == list(PRESETS)[:-1]


def test_without_a_measurement_a_slow_machine_is_assumed() -> None:
    # One block a stage, width 4, 16×16: 9·3·4·256 + 9·16·256·5 + 16·10 multiply-adds an image, three times for a step.
    config = comparison(LabSettings(depth=8, width=4, image_size=16, batch=10, steps=100, warmup=0))
    assert expected_seconds(config, None) == pytest.approx(2 * 3 * 10 * 100 * (27_648 + 184_320 + 160) / 1e10)


def test_the_operator_sets_the_limit_or_lifts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    hour = Estimate(3_600, "measured")
    monkeypatch.setenv("RESNET_DEMO_MINUTES", "60")
    assert DurationLimit.from_environment().covers(PAPER, hour)
    monkeypatch.setenv("RESNET_DEMO_MINUTES", "59.9")
    assert not DurationLimit.from_environment().covers(PAPER, hour)
    monkeypatch.setenv("RESNET_DEMO_MINUTES", "0")
    assert DurationLimit.from_environment().covers(PAPER, Estimate(1e9, "measured"))


@pytest.mark.parametrize("value", ["half an hour", "-1", "nan", "inf"])
def test_a_limit_that_is_none_is_refused_by_its_name(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESNET_DEMO_MINUTES", value)
    with pytest.raises(SettingError, match="RESNET_DEMO_MINUTES must be a number from 0"):
        DurationLimit.from_environment()
