"""The loop on hand-made arms: what it yields, and that arms of one seed learn from the same bytes."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from resnet_demo.data import dataset
from resnet_demo.data.batches import Batches
from resnet_demo.model.resnet import build
from resnet_demo.training import loop
from resnet_demo.training.events import ArmDiverged, CheckpointSaved, Diagnosed, Event, Measured, Progress, TrainingPoint
from resnet_demo.training.loop import Arm, Batch, Plan, train
from tests.tiny import same, tiny_arm, tiny_run

FULL_PRECISION = nullcontext
PLAN = Plan(steps=6, learning_rate=lambda _: 0.1)


class Line(nn.Module):
    """Two classes by one number: logits (0, w x)."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([torch.zeros(len(x)), self.weight * x.mean((1, 2, 3))], dim=1)


def arm(name: str, weight: float = 0.0, seed: int = 0) -> Arm:
    model = Line(weight)
    return Arm(name, seed, model, torch.optim.SGD(model.parameters(), 0.1), model)


def ones() -> Iterator[Batch]:
    """Pictures of ones, all of class 1."""
    while True:
        yield torch.ones(4, 3, 2, 2), torch.ones(4, dtype=torch.int64)


def no_measurement(_model: torch.nn.Module, *, side: int | None = None) -> tuple[float, float]:
    assert side is None
    return 0.25, 0.5


def run(arms: list[Arm], plan: Plan = PLAN, **options: object) -> list[Event]:
    given = {"measure": no_measurement, "save": lambda _: None, **options}
    streams = {one.seed: ones() for one in arms}
    return list(train(arms, streams, plan, autocast=FULL_PRECISION, **given))  # type: ignore[arg-type]


def test_a_step_is_the_gradient_step_worked_out_by_hand() -> None:
    one = arm("a")
    events = run([one], replace(PLAN, steps=1))
    # logits (0, 0): loss ln 2, gradient of w is p(1) - 1 = -1/2, so w = 0 + 0.1 / 2; argmax of a tie is class 0, wrong
    point = events[0]
    assert isinstance(point, TrainingPoint)
    assert (point.step, point.arm, point.error, point.learning_rate) == (1, "a", 1.0, 0.1)
    assert point.loss == pytest.approx(math.log(2))
    assert one.model.weight.item() == pytest.approx(0.05)


def test_a_point_is_the_mean_of_the_steps_since_the_last_one() -> None:
    each = [event.loss for event in run([arm("a")]) if isinstance(event, TrainingPoint)]
    every_third = [event for event in run([arm("a")], replace(PLAN, log_every=3)) if isinstance(event, TrainingPoint)]
    assert [event.step for event in every_third] == [3, 6]
    assert [event.loss for event in every_third] == pytest.approx([sum(each[:3]) / 3, sum(each[3:]) / 3], rel=1e-6)


def test_what_is_due_comes_in_the_order_of_the_steps_and_all_of_it_at_the_end() -> None:
    saved: list[int] = []
    events = run([arm("a"), arm("b")], replace(PLAN, evaluate_every=4, checkpoint_every=4), save=saved.append)
    kinds = [(event.kind, event.step) for event in events if not isinstance(event, (Progress, TrainingPoint))]
    assert kinds == [
        ("measured", 4), ("measured", 4), ("checkpoint", 4), ("measured", 6), ("measured", 6), ("checkpoint", 6)
    ]  # fmt: skip
    assert saved == [4, 6]
    assert [event.arm for event in events if isinstance(event, Measured)] == ["a", "b"] * 2
    assert isinstance(events[-2], Progress)


def test_a_stopped_run_saves_and_ends_after_the_step_it_is_in() -> None:
    asked = iter([False, False, True])
    events = run([arm("a")], should_stop=lambda: next(asked))
    assert [event.step for event in events if isinstance(event, TrainingPoint)] == [1, 2, 3]
    assert events[-1] == CheckpointSaved(step=3)


def test_a_diverging_arm_stops_alone_and_is_named() -> None:
    broken, sound = arm("broken", math.nan), arm("sound")
    events = run([broken, sound])
    diverged = [event for event in events if isinstance(event, ArmDiverged)]
    assert [(event.arm, event.step) for event in diverged] == [("broken", 1)]
    assert math.isnan(diverged[0].loss)
    assert [event.step for event in events if isinstance(event, TrainingPoint) and event.arm == "broken"] == [1]
    assert [event.step for event in events if isinstance(event, TrainingPoint) and event.arm == "sound"] == [1, 2, 3, 4, 5, 6]
    assert [event.arm for event in events if isinstance(event, Measured)] == ["sound"]
    assert sound.model.weight.item() == pytest.approx(run_alone(6))


def run_alone(steps: int) -> float:
    one = arm("a")
    run([one], replace(PLAN, steps=steps))
    return float(one.model.weight.item())


def test_when_every_arm_has_diverged_the_run_ends() -> None:
    events = run([arm("a", math.nan), arm("b", math.inf)])
    assert [event.step for event in events if isinstance(event, TrainingPoint)] == [1, 1]
    assert events[-1] == CheckpointSaved(step=1)


@pytest.mark.filterwarnings("ignore:.*copying from a non-meta parameter")
def test_what_an_arm_has_seen_goes_where_its_parameters_are() -> None:
    one, there = arm("a"), arm("a")
    one.readings = [torch.tensor([1.0, 0.5]), torch.tensor([2.0, 0.0])]
    there.model.to("meta")
    there.load_state_dict(one.state_dict())
    assert [reading.device.type for reading in there.readings] == ["meta", "meta"]


class SingleOnly(Tensor):
    """Numbers on an accelerator that has none of 64 bits."""

    def double(self) -> Tensor:  # type: ignore[override]
        raise TypeError("Cannot convert to float64")

    def cpu(self) -> Tensor:  # type: ignore[override]
        return self.as_subclass(Tensor)


def test_a_point_needs_no_numbers_of_64_bits_on_the_accelerator() -> None:
    one = arm("a")
    one.readings = [torch.tensor(pair).as_subclass(SingleOnly) for pair in ([1.0, 0.5], [2.0, 0.0])]  # type: ignore[misc]
    (point,) = loop._points(2, one, 0.1)
    assert point == TrainingPoint(step=2, arm="a", loss=1.5, error=0.25, learning_rate=0.1)


def test_what_the_loop_raises_reaches_its_caller() -> None:
    def no_disk(step: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        run([arm("a")], save=no_disk)


def test_both_arms_of_a_seed_see_byte_identical_augmented_batches(picture_folder: Path) -> None:
    config = tiny_run(picture_folder)
    data = dataset.load(config.data)
    streams = {0: Batches(data, config.data, 8, 0), 1: Batches(data, config.data, 8, 1)}
    hashes: dict[str, list[str]] = {"plain8": [], "residual8": [], "other-seed": []}
    arms = []
    for name, seed, residual in (("plain8", 0, False), ("residual8", 0, True), ("other-seed", 1, True)):
        model = build(tiny_arm(name, residual=residual).model, seed)

        def forward(x: Tensor, name: str = name, model: nn.Module = model) -> Tensor:
            hashes[name].append(hashlib.sha256(x.numpy(force=True).tobytes()).hexdigest())
            return model(x)

        arms.append(Arm(name, seed, model, torch.optim.SGD(model.parameters(), 0.1), forward))
    list(train(arms, streams, PLAN, autocast=FULL_PRECISION, measure=no_measurement, save=lambda _: None))
    assert len(set(hashes["plain8"])) == 6
    assert hashes["plain8"] == hashes["residual8"]
    assert not set(hashes["plain8"]) & set(hashes["other-seed"])


def test_a_diagnosis_names_every_layer_and_leaves_training_as_it_is(picture_folder: Path) -> None:
    config = tiny_run(picture_folder)
    data = dataset.load(config.data)
    states = []
    for every in (0, 2):
        model = build(tiny_arm("residual8").model, 0)
        one = Arm("residual8", 0, model, torch.optim.SGD(model.parameters(), 0.1), model)
        stream = {0: Batches(data, config.data, 8, 0)}
        plan = replace(PLAN, diagnose_every=every)
        events = list(train([one], stream, plan, autocast=FULL_PRECISION, measure=no_measurement, save=lambda _: None))
        states.append(one.state_dict())
    found = [event for event in events if isinstance(event, Diagnosed)]
    assert [event.step for event in found] == [2, 4, 6]
    layers = ("conv1", *(f"layer{stage}.0.conv{number}" for stage in (1, 2, 3) for number in (1, 2)))
    assert found[0].layers == layers
    assert len(found[0].gradient_norms) == len(found[0].response_deviations) == 7
    assert all(value > 0 for value in (*found[0].gradient_norms, *found[0].response_deviations))
    assert same(states[0], states[1])
