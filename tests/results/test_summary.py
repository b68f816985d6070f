"""What a run says of itself, against runs made up so that the right sentence is known."""

from __future__ import annotations

import math

import pytest

from resnet_demo.comparison import LabSettings, comparison
from resnet_demo.results.summary import deepest_pair, is_clear, results, sentence, table, winner
from resnet_demo.training.events import ArmDiverged, Event, Measured, RunFinished, TrainingPoint

ONE = comparison(LabSettings(depth=32, steps=240))


def history(losses: dict[str, float], errors: dict[str, float] | None = None, steps: int = 240) -> list[Event]:
    """Every arm at the same loss in each of the last twenty steps."""
    events: list[Event] = [
        TrainingPoint(step=step, arm=arm, loss=loss, error=0.5, learning_rate=0.1)
        for step in range(steps - 19, steps + 1)
        for arm, loss in losses.items()
    ]
    events += [Measured(step=steps, arm=arm, split="test", loss=1.0, error=error) for arm, error in (errors or {}).items()]
    return events


def finished(events: list[Event], step: int = 240) -> list[Event]:
    return [*events, RunFinished(step=step, seconds=60.0)]


def test_guessing_is_named_and_the_better_network_too() -> None:
    events = finished(history({"plain32-s0": 2.29, "residual32-s0": 1.64}, {"plain32-s0": 0.89, "residual32-s0": 0.6}))
    assert sentence(ONE, events) == (
        "After 240 steps the plain-32 network's training loss is 2.29, near the 2.30 of guessing; the residual one's is 1.64. "
        "Of the test images they get 89.0 % and 60.0 % wrong. "
        "The residual network learns better than the plain one in this one run, by 0.65 nats of training loss."
    )


def test_the_difference_is_that_of_the_numbers_in_the_sentence() -> None:
    told = sentence(ONE, finished(history({"plain32-s0": 1.8249, "residual32-s0": 1.0351})))
    assert "training loss is 1.82; the residual one's is 1.04." in told
    assert told.endswith("by 0.78 nats of training loss.")


def test_a_small_difference_of_one_seed_is_called_none() -> None:
    told = sentence(ONE, finished(history({"plain32-s0": 1.75, "residual32-s0": 1.66})))
    assert told.endswith("That is no clear difference at depth 32 and this length.")
    assert "better" not in told


def test_a_plain_network_that_wins_is_said_to_win() -> None:
    told = sentence(ONE, finished(history({"plain32-s0": 1.2, "residual32-s0": 1.6})))
    assert told.endswith(
        "The plain network learns better than the residual one in this one run, by 0.40 nats of training loss."
    )


def test_a_run_that_did_not_finish_says_how_far_it_came() -> None:
    assert sentence(ONE, history({"plain32-s0": 2.0, "residual32-s0": 1.6}, steps=120)).startswith(
        "After 120 of 240 steps the "
    )
    assert sentence(ONE, []) == "Nothing has been learned yet."


def test_several_seeds_are_told_as_mean_and_spread_and_judged_by_it() -> None:
    config = comparison(LabSettings(depth=32, seeds=3))
    plain, residual = (1.9, 2.0, 2.1), (1.5, 1.6, 1.7)
    losses = {f"plain32-s{seed}": loss for seed, loss in enumerate(plain)}
    losses |= {f"residual32-s{seed}": loss for seed, loss in enumerate(residual)}
    told = sentence(config, finished(history(losses)))
    assert "2.00 ± 0.10 over 3 seeds; the residual one's is 1.60 ± 0.10 over 3 seeds." in told
    assert told.endswith("The residual network learns better than the plain one here, by 0.40 nats of training loss.")
    losses |= {"plain32-s0": 1.5, "plain32-s2": 2.5}  # the same means, but a spread of half a nat
    assert "no clear difference" in sentence(config, finished(history(losses)))


def test_a_diverged_arm_is_named_with_its_step_and_the_other_with_its_loss() -> None:
    events = [
        *history({"residual32-s0": 1.6}),
        TrainingPoint(step=7, arm="plain32-s0", loss=math.inf, error=0.9, learning_rate=0.1),
    ]
    events += [ArmDiverged(step=7, arm="plain32-s0", loss=math.inf)]
    told = sentence(ONE, finished(events))
    assert told == (
        "After 240 steps the plain-32 network diverged (the loss was no longer a finite number) at step 7 and stopped there. "
        "The residual-32 training loss is 1.60."
    )
    by_name = {result.name: result for result in results(ONE, events)}
    assert by_name["plain32-s0"].diverged
    assert by_name["plain32-s0"].train_loss == math.inf
    assert table(ONE, events) == [["plain32-s0", 7, "diverged", ""], ["residual32-s0", 240, "1.600", ""]]


def test_two_depths_are_compared_within_each_kind() -> None:
    config = comparison(LabSettings(depth=20, other_depth=56))
    losses = {"plain20-s0": 1.7, "plain56-s0": 2.2, "residual20-s0": 1.5, "residual56-s0": 1.52}
    told = sentence(config, finished(history(losses)))
    assert told.startswith("After 240 steps the plain-20 network's")
    assert ". The plain-56 network's training loss is 2.20" in told
    assert "Among the plain networks, 56 layers train worse in this one run than 20 after 240 steps, as in degradation." in told
    assert "Among the residual networks, 56 layers train about as well as 20." in told
    told = sentence(config, finished(history(losses | {"residual56-s0": 1.8})))
    assert (
        "Among the residual networks, 56 layers train worse in this one run than 20 after 240 steps; after the paper's" in told
    )
    assert told.count("degradation") == 1  # a training this short says nothing of it where there are shortcuts


@pytest.mark.parametrize(
    ("warmup", "steps", "judged"), [(0, 1, False), (0, 49, False), (0, 50, True), (100, 99, False), (100, 100, True)]
)
def test_no_network_is_called_better_after_too_few_steps_or_within_the_warm_up(warmup: int, steps: int, judged: bool) -> None:
    pair = comparison(LabSettings(depth=32, steps=240, warmup=warmup))
    told = sentence(pair, history({"plain32-s0": 2.2, "residual32-s0": 1.6}, steps=steps))
    assert told.endswith("too few steps to say which learns better.") is not judged
    assert ("by 0.60" in told) is judged
    depths = comparison(LabSettings(depth=20, other_depth=56, steps=240, warmup=warmup))
    losses = {"plain20-s0": 1.7, "plain56-s0": 2.2, "residual20-s0": 1.5, "residual56-s0": 1.52}
    assert ("degradation" in sentence(depths, history(losses, steps=steps))) is judged


def test_the_training_loss_is_the_mean_of_the_last_twentieth_of_the_points() -> None:
    events: list[Event] = [
        TrainingPoint(step=step, arm="plain32-s0", loss=float(step > 190), error=0.5, learning_rate=0.1)
        for step in range(1, 201)
    ]
    assert results(ONE, events)[0].train_loss == 1.0
    assert results(ONE, events[:-4])[0].train_loss == pytest.approx(6 / 9)  # 196 points: the last nine
    assert results(ONE, events[:191])[0].train_loss == pytest.approx(1 / 9)


@pytest.mark.parametrize(
    ("first", "second", "clear"),
    [
        ([2.0], [1.91], False), ([2.0], [1.89], True), ([2.0, 2.0], [1.96, 1.96], False), ([2.0, 2.0], [1.94, 1.94], True),
        ([2.0, 2.2], [1.9, 1.9], False),
    ],
)  # fmt: skip
def test_a_difference_is_clear_when_chance_does_not_explain_it(first: list[float], second: list[float], clear: bool) -> None:
    assert is_clear(first, second) is clear


def test_when_both_diverge_each_has_its_sentence() -> None:
    events = [ArmDiverged(step=2, arm=name, loss=math.nan) for name in ("plain32-s0", "residual32-s0")]
    events = [TrainingPoint(step=2, arm=event.arm, loss=math.inf, error=0.9, learning_rate=1.0) for event in events] + events
    told = sentence(ONE, events)
    assert told == (
        "After 2 of 240 steps the plain-32 network diverged (the loss was no longer a finite number) at step 2 and stopped there. "
        "The residual-32 network diverged (the loss was no longer a finite number) at step 2 and stopped there."
    )


@pytest.mark.parametrize(
    ("plain", "residual", "steps", "expected"),
    [
        (2.3, 1.6, 240, "residual"),
        (1.2, 1.6, 240, "plain"),
        (1.75, 1.66, 240, "neither"),
        (2.3, 1.6, 40, None),
    ],
)
def test_the_outcome_is_what_the_sentence_says(plain: float, residual: float, steps: int, expected: str | None) -> None:
    events = finished(history({"plain32-s0": plain, "residual32-s0": residual}, steps=steps))
    assert winner(ONE, events) == expected
    better = {"plain": "The plain network learns better", "residual": "The residual network learns better"}
    words = better.get(expected or "", "no clear difference" if expected else "too few steps to say")
    assert words in sentence(ONE, events)


def test_of_two_depths_the_outcome_is_that_of_the_deeper_one_and_a_network_that_diverged_has_lost() -> None:
    both = comparison(LabSettings(depth=20, other_depth=56, steps=240))
    losses = {"plain20-s0": 1.0, "residual20-s0": 2.0, "plain56-s0": 2.0, "residual56-s0": 1.0}
    assert deepest_pair(both) == 56
    assert winner(both, history(losses)) == "residual"
    diverged = ArmDiverged(step=200, arm="residual56-s0", loss=math.inf)
    assert winner(both, [*history(losses), diverged]) == "plain"
    assert winner(both, [*history(losses), diverged, diverged.model_copy(update={"arm": "plain56-s0"})]) == "neither"
    alone = both.model_copy(update={"arms": both.arms[:1]})
    assert deepest_pair(alone) is None
    assert winner(alone, history({"plain20-s0": 1.0})) is None
