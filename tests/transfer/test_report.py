"""The statistics of the report, against numbers computed elsewhere, and the sentences made of them."""

from __future__ import annotations

import pytest

from resnet_demo.results import summary
from resnet_demo.training.events import Baseline, Measured, PhaseStarted, TrainingPoint, TransferMeasured
from resnet_demo.transfer.report import mcnemar, wilson
from resnet_demo.transfer.result import sentence, table, unfinished
from resnet_demo.transfer.settings import TransferSettings, transfer_run


def test_mcnemars_exact_test_is_a_fair_coins() -> None:
    assert mcnemar(0, 0) == 1
    assert mcnemar(0, 5) == mcnemar(5, 0) == 2 / 32
    assert mcnemar(3, 3) == 1
    assert mcnemar(2, 10) == pytest.approx(2 * (1 + 12 + 66) / 4096)
    assert 0 < mcnemar(4000, 4400) < 1e-4  # as many pictures as CIFAR-10's test set may divide


def test_wilsons_interval_as_in_a_table() -> None:
    """Brown, Cai, DasGupta 2001: an interval even where every answer is right."""
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)
    assert wilson(5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=1e-4)


def test_a_transfer_that_is_not_measured_yet_says_how_far_it_is() -> None:
    config = transfer_run(TransferSettings())
    assert unfinished(config, []) == "Nothing has been learned yet."
    events = [
        PhaseStarted(step=1, name="head", arms=("transfer",), last=560),
        TrainingPoint(step=5, arm="transfer", loss=1, error=0.5, learning_rate=0.001),
        Measured(step=5, arm="transfer", split="held-out", loss=1, error=0.25),
    ]
    assert summary.sentence(config, events) == unfinished(config, events)
    assert "transfer is right on 75.0 % of the validation pictures" in unfinished(config, events)
    assert f"After 5 of {config.steps} steps, in the phase head." in unfinished(config, events)


def result(*baselines: Baseline) -> TransferMeasured:
    return TransferMeasured(
        step=9, arm="transfer", classes=("a", "b"), train_accuracy=1, validation_accuracy=0.9, test_images=100,
        test_accuracy=0.8, interval=(0.711, 0.867), precision=0.8, recall=0.8, f1=0.8, confusion=((50, 10), (10, 30)),
        baselines=baselines, seconds=1,
    )  # fmt: skip


def test_the_sentence_calls_a_gain_more_than_chance_only_where_the_test_does() -> None:
    clear = Baseline(name="from scratch", arm="scratch", test_accuracy=0.5, only_transfer=35, only_baseline=5, p=mcnemar(35, 5))
    unclear = Baseline(name="linear probe", test_accuracy=0.78, only_transfer=4, only_baseline=2, p=mcnemar(4, 2))
    worse = Baseline(name="nearest class mean", test_accuracy=0.9, only_transfer=0, only_baseline=10, p=mcnemar(0, 10))
    text = sentence(result(clear, unclear, worse))
    assert "right on 80.0 % of the 100 test pictures (95 % interval by Wilson: 71.1 to 86.7 %)" in text
    assert "the most frequent class would be right on 60.0 %" in text
    assert "Transfer gained 30.0 points, more than chance explains (McNemar's exact test, p < 0.001)" in text
    assert "A linear probe reaches 78.0 %; that is no more of a difference than chance explains" in text
    assert "p = 0.69" in text
    assert "The transferred network lost 10.0 points, more than chance explains (McNemar's exact test, p = 0.002)" in text
    assert table(result(clear)) == [("transfer", 0.8), ("from scratch", 0.5)]
