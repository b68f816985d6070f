"""Settings of a transfer become a run, and a run becomes settings again; what does not go together is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_demo.errors import SettingError, WeightsError
from resnet_demo.runs.step_times import work_of
from resnet_demo.transfer.settings import (
    TRANSFER_PRESETS,
    TransferSettings,
    from_outside,
    settings_of,
    transfer_run,
)
from tests.transfer.conftest import Run


@pytest.mark.parametrize("title", TRANSFER_PRESETS)
def test_each_preset_is_a_run_and_comes_back_from_it(title: str) -> None:
    settings = TRANSFER_PRESETS[title].settings
    config = transfer_run(settings)
    assert config.title == title
    again = settings_of(config)
    assert again is not None
    assert transfer_run(again, title) == config


def test_the_course_exercise_is_the_exercise() -> None:
    config = transfer_run(TRANSFER_PRESETS["The course exercise"].settings)
    model, transfer = config.arms[0].model, config.transfer
    assert transfer is not None
    assert (model.name, model.classes, model.hidden, config.data.source) == ("resnet50", 10, (256,), "cifar10")
    assert (config.data.image_size, transfer.normalization, transfer.unfreeze) == (224, "weights", 0)
    assert (config.optimizer.name, config.optimizer.learning_rate, config.batch) == ("adam", 0.001, 32)
    assert config.steps == transfer.head_steps == 5 * (45_000 // 32)


def test_a_page_may_name_neither_a_path_nor_data_that_are_not_allowed(base: Path) -> None:
    with pytest.raises(WeightsError, match="There is no model"):
        from_outside({"base": str(base)})
    with pytest.raises(SettingError, match="data: must be one of bundled, cifar10"):
        from_outside({"data": "/etc"})
    with pytest.raises(SettingError, match="up to four numbers"):
        from_outside({"hidden": "256; 128"})
    with pytest.raises(SettingError, match="resnet20 has 3 stages"):
        transfer_run(TransferSettings(unfreeze=4))
    assert from_outside({"hidden": " 512, 128"}).hidden_sizes == (512, 128)


def test_the_work_of_a_transfer_counts_each_pass_over_the_pictures(transfer: Run) -> None:
    """24 training pictures: 18 to learn from and 6 set aside; 6 to test."""
    config = transfer(views=2, validation=0.25)
    assert work_of(config.arms[0], config) == pytest.approx((0, 2 * 18 + 6 + 6), abs=0.01)  # the head costs nearly nothing
    whole = transfer(unfreeze=1, fine_epochs=2, validation=0.25, scratch=True)
    steps, pictures = work_of(whole.arms[0], whole)
    assert steps == pytest.approx(6 * (1 / 3 + 2 / 3 / 3), abs=0.01)  # one of three stages is trained
    assert pictures == 18 + 6 + 6 + (18 + 6 + 6) + 2 * 6  # features, then the report, then two measurements
    assert work_of(whole.arms[1], whole) == (0, 0)
    assert work_of(whole.arms[2], whole) == (12, 4 * 6 + 6)


def test_hidden_layers_that_would_fill_the_memory_are_refused_to_a_page_and_cost_time(transfer: Run) -> None:
    with pytest.raises(SettingError, match="too many weights"):
        from_outside({"hidden": "8192, 8192, 8192, 8192"})
    assert from_outside({"hidden": "4096, 1024"})
    plain, heavy = (transfer(hidden=hidden, baselines=False) for hidden in ("", "8192, 8192"))
    (few, _), (many, _) = (work_of(config.arms[0], config) for config in (plain, heavy))
    assert few < 0.01
    assert many > 0.9 * heavy.steps
