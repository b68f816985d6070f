"""The sentences about a transfer, made of its numbers; tests/evaluation has the statistics."""

from __future__ import annotations

from resnet_demo.evaluation.pairs import Pair
from resnet_demo.results import summary
from resnet_demo.training.events import Baseline, Measured, PhaseStarted, TrainingPoint, TransferMeasured
from resnet_demo.transfer.result import sentence, table, unfinished
from resnet_demo.transfer.settings import TransferSettings, transfer_run


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


def mcnemar(first: int, second: int) -> float:
    return Pair(both=0, first_only=first, second_only=second, neither=0).p_value


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
