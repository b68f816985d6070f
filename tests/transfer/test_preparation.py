"""A transfer is a run like any other: it trains its phases, is paused, stopped and continued, and reports what it came to."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from resnet_demo.config import RunConfig
from resnet_demo.model.resnet import build
from resnet_demo.training import session
from resnet_demo.training.events import (
    Event,
    FeaturesComputed,
    Measured,
    PhaseStarted,
    RunFailed,
    RunFinished,
    RunPaused,
    RunStopped,
    TrainingPoint,
    TransferMeasured,
)
from resnet_demo.training.record import Record
from resnet_demo.transfer.preparation import preparation_of
from resnet_demo.zoo import folder as model_folder
from tests.tiny import same, told_numbers
from tests.transfer.conftest import Run

WHOLE = {"hidden": "8", "dropout": 0.3, "unfreeze": 1, "views": 2, "scratch": True}  # every kind of phase, arm and randomness


def run(config: RunConfig, folder: Path, **options: Any) -> list[Event]:
    return list(session.run(config, folder, prepare=preparation_of(config), **options))


def run_until(step: int, what: session.Request, config: RunConfig, folder: Path) -> list[Event]:
    """Run, and ask for `what` once this step is trained."""
    events: list[Event] = []

    def request() -> session.Request:
        return what if any(isinstance(event, TrainingPoint) and event.step >= step for event in events) else "go on"

    for event in session.run(config, folder, prepare=preparation_of(config), request=request):
        events.append(event)
    return events


def checkpoint(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(folder / "checkpoint.pt", weights_only=True)
    del content["seconds"]
    return content


def numbers(events: list[Event]) -> list[Event]:
    """What the run found out, without how long it took."""
    ends = (FeaturesComputed, RunFinished)
    events = [event for event in told_numbers(events) if not isinstance(event, ends)]
    return [event.model_copy(update={"seconds": 0.0}) if isinstance(event, TransferMeasured) else event for event in events]


def state(folder: Path, arm: str = "transfer") -> dict[str, torch.Tensor]:
    return dict(model_folder.load(folder / "arms" / arm).model.state_dict())


def differing(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> set[str]:
    """The entries before the head that are not equal to the last bit."""
    trunk = [name for name in first if not name.startswith("fc.")]
    assert len(trunk) > 20
    return {name for name in trunk if not torch.equal(first[name], second[name])}


def is_statistic(name: str) -> bool:
    return "running" in name or "num_batches" in name


@pytest.fixture(scope="module")
def finished(transfer: Run, tmp_path_factory: pytest.TempPathFactory) -> Record:
    """A transfer with every phase, never interrupted. Read it, don't change it."""
    folder = tmp_path_factory.mktemp("finished")
    run(transfer(**WHOLE), folder)
    return Record(folder)


def test_a_transfer_trains_its_phases_in_turn_and_reports_what_it_came_to(finished: Record) -> None:
    events = finished.events()
    phases = [(event.step, event.name, event.arms, event.last) for event in events if isinstance(event, PhaseStarted)]
    assert phases == [
        (1, "head", ("transfer", "linear-probe"), 6),
        (7, "fine-tuning", ("transfer",), 9),
        (10, "scratch", ("scratch",), 18),
    ]
    assert {event.split for event in events if isinstance(event, Measured)} == {"held-out"}
    result = next(event for event in events if isinstance(event, TransferMeasured))
    assert (result.test_images, result.classes) == (6, ("blue", "green", "red"))
    assert sum(map(sum, result.confusion)) == 6
    assert [baseline.name for baseline in result.baselines] == ["linear probe", "nearest class mean", "from scratch"]
    assert isinstance(events[-1], RunFinished)
    assert finished.status() == "finished"
    weights = model_folder.load(finished.folder / "arms" / "transfer")
    assert weights.classes == result.classes
    assert weights.card["test_accuracy"] == result.test_accuracy
    assert weights.preprocessing.mean == (0.5, 0.5, 0.5)


def test_after_the_head_alone_was_trained_the_base_is_unchanged_to_the_bit(transfer: Run, base: Path, tmp_path: Path) -> None:
    events = run(transfer(), tmp_path)
    assert isinstance(events[-1], RunFinished)
    assert not differing(state(tmp_path), dict(model_folder.load(base).model.state_dict()))


def test_fine_tuning_changes_the_unfrozen_stages_and_nothing_else(finished: Record, base: Path) -> None:
    changed = differing(state(finished.folder), dict(model_folder.load(base).model.state_dict()))
    assert {name.partition(".")[0] for name in changed} == {"layer3"}
    assert {name for name in changed if is_statistic(name)}


def test_the_switch_lets_frozen_batch_normalization_lose_its_statistics(transfer: Run, base: Path, tmp_path: Path) -> None:
    run(transfer(train_batch_norm=True), tmp_path)
    changed = differing(state(tmp_path), dict(model_folder.load(base).model.state_dict()))
    assert changed == {name for name in state(tmp_path) if is_statistic(name)}


def test_a_head_learns_the_same_from_cached_features_as_through_the_base(transfer: Run, tmp_path: Path) -> None:
    """With batches of one composition the features are equal to the last bit (test_features.py); here other pictures share
    a batch, so the last bits may differ."""
    run(transfer(baselines=False), tmp_path / "cached")
    run(transfer(baselines=False, cache=False), tmp_path / "uncached")
    cached, uncached = state(tmp_path / "cached"), state(tmp_path / "uncached")
    assert not differing(cached, uncached)
    for name in ("fc.weight", "fc.bias"):
        torch.testing.assert_close(cached[name], uncached[name], rtol=0, atol=1e-5)


@pytest.mark.parametrize(("step", "what"), [(2, "pause"), (6, "leave"), (8, "leave"), (9, "pause"), (12, "leave")])
def test_a_transfer_that_was_left_goes_on_bit_identically(
    finished: Record, tmp_path: Path, step: int, what: session.Request
) -> None:
    """In the head's phase, where it ends, in fine-tuning, where it ends, and in the baseline from scratch."""
    config = finished.config
    events = run_until(step, what, config, tmp_path)
    assert isinstance(events[-1], RunPaused) == (what == "pause")
    assert Record(tmp_path).status() == ("paused" if what == "pause" else "interrupted")
    run(config, tmp_path, resume=True)
    assert same(checkpoint(tmp_path), checkpoint(finished.folder))
    assert same(state(tmp_path), state(finished.folder))
    assert numbers(Record(tmp_path).events()) == numbers(finished.events())


@pytest.mark.parametrize(("what", "ending"), [("stop", RunStopped), ("pause", RunPaused), ("leave", FeaturesComputed)])
def test_a_transfer_can_be_ended_while_it_computes_features(
    transfer: Run, tmp_path: Path, what: session.Request, ending: type
) -> None:
    events = run(transfer(seed=3, views=4), tmp_path, request=lambda: what)
    assert [type(event) for event in events] == ([FeaturesComputed, ending] if what != "leave" else [FeaturesComputed])
    if what == "pause":
        assert isinstance(run(transfer(seed=3, views=4), tmp_path, resume=True)[-1], RunFinished)


def test_a_stopped_transfer_keeps_the_networks_that_have_begun_and_is_measured(transfer: Run, tmp_path: Path) -> None:
    events = run_until(8, "stop", transfer(**WHOLE), tmp_path)
    assert isinstance(events[-1], RunStopped)
    result = next(event for event in events if isinstance(event, TransferMeasured))
    assert [baseline.name for baseline in result.baselines] == ["linear probe", "nearest class mean"]
    assert sorted(path.name for path in (tmp_path / "arms").iterdir()) == ["linear-probe", "transfer"]


def test_a_second_transfer_finds_the_features_in_the_cache(transfer: Run, tmp_path: Path) -> None:
    run(transfer(views=1), tmp_path / "first")
    events = run(transfer(views=1, epochs=1, hidden="4"), tmp_path / "second")
    passes = [event for event in events if isinstance(event, FeaturesComputed)]
    assert passes
    assert all(event.cached == event.done for event in passes)


def test_a_base_that_was_exchanged_for_another_network_is_refused(transfer: Run, tmp_path: Path) -> None:
    config = transfer()
    arms = tuple(arm.model_copy(update={"model": arm.model.model_copy(update={"width": 8})}) for arm in config.arms)
    last = run(config.model_copy(update={"arms": arms}), tmp_path)[-1]
    assert isinstance(last, RunFailed)
    assert "is no longer the resnet8" in last.reason


def test_data_without_a_validation_part_are_learned_from_all_the_same(transfer: Run, tmp_path: Path) -> None:
    events = run(transfer(validation=0.0), tmp_path)
    result = next(event for event in events if isinstance(event, TransferMeasured))
    assert result.validation_accuracy is None
    assert not any(isinstance(event, Measured) for event in events)


def test_a_base_with_other_weights_than_the_run_began_with_is_refused(transfer: Run, base: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(base, tmp_path / "base")
    config = transfer(base=str(copy))
    run_until(2, "pause", config, tmp_path / "run")
    weights = model_folder.load(copy)
    other = build(weights.model.config, 8).state_dict()
    model_folder.write(copy, model_folder.read_config(copy), other, "")
    last = run(config, tmp_path / "run", resume=True)[-1]
    assert isinstance(last, RunFailed)
    assert "other weights than when this run began" in last.reason
