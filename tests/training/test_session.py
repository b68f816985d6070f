"""A run's whole life on tiny data: it finishes, is stopped, paused and resumed, fails, and goes on bit-identically."""

from __future__ import annotations

import errno
import math
import shutil
import sysconfig
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import torch

from resnet_demo.config import RunConfig
from resnet_demo.errors import RunError
from resnet_demo.model.resnet import ResNet
from resnet_demo.training import assemble, distributed, machine, session
from resnet_demo.training.events import (
    ArmDiverged,
    Event,
    Measured,
    Resized,
    RunFailed,
    RunFinished,
    RunPaused,
    RunStarted,
    RunStopped,
    TrainingPoint,
)
from resnet_demo.training.loop import Arm
from resnet_demo.training.record import Record, RecordWriter
from resnet_demo.zoo import folder as model_folder
from tests.tiny import same, tiny_arm, tiny_run, told_numbers

COMPILES = shutil.which("g++") and Path(sysconfig.get_path("include"), "Python.h").exists()


def run(config: RunConfig, folder: Path, **options: Any) -> list[Event]:
    return list(session.run(config, folder, **options))


def at_step(folder: Path, step: int, what: session.Request) -> Callable[[], session.Request]:
    """Ask for `what` once `step` steps are done."""
    asked = iter(["go on"] * (step - 1) + [what])
    return lambda: next(asked)  # type: ignore[return-value]


def checkpoint(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(folder / "checkpoint.pt", weights_only=True)
    del content["seconds"]  # how long it took may differ
    return content


@pytest.fixture(scope="module")
def finished(picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Record:
    """The tiny run, never interrupted. Read it, don't change it."""
    folder = tmp_path_factory.mktemp("finished")
    run(tiny_run(picture_folder), folder)
    return Record(folder)


def test_a_run_that_finishes_leaves_its_record_and_weights_that_load(finished: Record) -> None:
    events = finished.events()
    assert isinstance(events[0], RunStarted)
    assert events[0].parameters == {"plain8": 4_887, "residual8": 4_887}
    assert (events[0].steps_per_epoch, events[0].precision, events[0].processes) == (3, "fp32", 1)
    assert isinstance(events[-1], RunFinished)
    assert events[-1].step == 12
    assert finished.status() == "finished"
    assert [event.step for event in events if isinstance(event, Measured)] == [5, 5, 10, 10, 12, 12]
    saved = checkpoint(finished.folder)["arms"]
    for name in ("plain8", "residual8"):
        weights = model_folder.load(finished.folder / "arms" / name)
        assert weights.classes == ("blue", "green", "red")
        state = weights.model.state_dict()
        assert same({key: state[key] for key in saved[name]["model"]}, saved[name]["model"])
        last = [event for event in events if isinstance(event, Measured) and event.arm == name][-1]
        assert weights.card["test_accuracy"] == pytest.approx(1 - last.error)


def test_a_config_gives_the_same_weights_every_time(finished: Record, tmp_path: Path) -> None:
    run(finished.config, tmp_path)
    assert same(checkpoint(tmp_path), checkpoint(finished.folder))
    assert told_numbers(Record(tmp_path).events())[:-1] == told_numbers(finished.events())[:-1]


def test_plain_and_residual_arms_of_a_seed_begin_with_the_same_weights(picture_folder: Path) -> None:
    config = tiny_run(
        picture_folder, arms=(tiny_arm("plain8", 3, residual=False), tiny_arm("residual8", 3), tiny_arm("other", 4))
    )
    plain, residual, other = (assemble.new_arm(config, index, torch.device("cpu")).model.state_dict() for index in range(3))
    assert same(plain, residual)
    assert not torch.equal(plain["conv1.weight"], other["conv1.weight"])


def test_a_stopped_run_keeps_what_was_learnt_and_is_measured(finished: Record, tmp_path: Path) -> None:
    events = run(finished.config, tmp_path, request=at_step(tmp_path, 7, "stop"))
    assert isinstance(events[-1], RunStopped)
    assert events[-1].step == 7
    assert [event.step for event in events if isinstance(event, Measured)] == [5, 5, 7, 7]
    assert Record(tmp_path).status() == "stopped"
    assert model_folder.load(tmp_path / "arms" / "residual8").name == "residual8"


def test_a_run_stopped_where_it_was_just_measured_is_not_measured_twice(finished: Record, tmp_path: Path) -> None:
    events = run(finished.config, tmp_path, request=at_step(tmp_path, 5, "stop"))
    assert [event.step for event in events if isinstance(event, Measured)] == [5, 5]


@pytest.mark.parametrize(
    ("step", "what", "status"), [(3, "pause", "paused"), (6, "leave", "interrupted"), (10, "pause", "paused")]
)
def test_a_run_that_was_left_goes_on_bit_identically(
    finished: Record, tmp_path: Path, step: int, what: session.Request, status: str
) -> None:
    events = run(finished.config, tmp_path, request=at_step(tmp_path, step, what))
    assert isinstance(events[-1], RunPaused) == (what == "pause")
    assert Record(tmp_path).status() == status
    assert not (tmp_path / "arms").exists()
    again = run(finished.config, tmp_path, resume=True)
    assert isinstance(again[0], RunStarted)
    assert again[0].step == step
    assert same(checkpoint(tmp_path), checkpoint(finished.folder))
    told, wanted = told_numbers(Record(tmp_path).events()), told_numbers(finished.events())
    assert told[:-1] == wanted[:-1]
    assert isinstance(told[-1], RunFinished)


PROGRESSIVE = {"image_size": 16, "half_size": 0.4, "three_quarter_size": 0.3, "mirror": "alternating"}


@pytest.mark.parametrize(("step", "optimizer"), [(4, "sgd"), (5, "muon"), (6, "sgd"), (9, "muon")])
def test_progressive_resizing_goes_on_bit_identically_around_each_change_of_size(
    picture_folder: Path, tmp_path: Path, step: int, optimizer: str
) -> None:
    config = tiny_run(picture_folder, data=PROGRESSIVE, optimizer={"name": optimizer})
    whole = run(config, tmp_path / "whole")
    sizes = [(event.step, event.side) for event in whole if isinstance(event, Resized)]
    assert sizes == [(1, 8), (6, 12), (9, 16)]  # of 12 steps: the first whose middle lies past 0.4, and past 0.7
    run(config, tmp_path / "left", request=at_step(tmp_path, step, "leave"))
    run(config, tmp_path / "left", resume=True)
    assert same(checkpoint(tmp_path / "left"), checkpoint(tmp_path / "whole"))
    assert told_numbers(Record(tmp_path / "left").events())[:-1] == told_numbers(whole)[:-1]


@pytest.mark.skipif(not COMPILES, reason="compiling needs a C++ compiler and Python's headers")
def test_a_compiled_network_learns_the_same_and_goes_on_bit_identically(picture_folder: Path, tmp_path: Path) -> None:
    def events_of(name: str, **options: Any) -> list[Event]:
        config = tiny_run(picture_folder, arms=(tiny_arm("residual8"),), steps=6, compile=name != "eager")
        run(config, tmp_path / name, **options)
        return told_numbers(Record(tmp_path / name).events())

    with mock.patch.object(torch, "compile", wraps=torch.compile) as compiler:
        eager = events_of("eager")
        assert not compiler.called
        compiled = events_of("compiled")
        assert isinstance(compiler.call_args.args[0], ResNet)
    losses, wanted = ([event.loss for event in told if isinstance(event, TrainingPoint)] for told in (compiled, eager))
    assert losses == pytest.approx(wanted, rel=1e-3)
    assert losses != wanted, "it was computed as without compiling"
    assert isinstance(compiled[-1], RunFinished)
    events_of("left", request=at_step(tmp_path, 4, "pause"))
    events_of("left", resume=True)
    assert same(checkpoint(tmp_path / "left"), checkpoint(tmp_path / "compiled"))


@pytest.fixture
def at_once() -> Iterator[None]:
    """Two threads, so that two networks learn at the same time, each with the one thread that it has in the other tests."""
    torch.set_num_threads(2)
    with mock.patch.object(machine, "ThreadPoolExecutor", wraps=ThreadPoolExecutor) as pool:
        yield
    torch.set_num_threads(1)
    assert pool.call_args.args[0] == 2


@pytest.mark.usefixtures("at_once")
def test_networks_that_learn_at_the_same_time_learn_what_they_learn_one_after_the_other(
    finished: Record, tmp_path: Path
) -> None:
    run(finished.config, tmp_path)
    assert same(checkpoint(tmp_path), checkpoint(finished.folder))
    assert told_numbers(Record(tmp_path).events())[:-1] == told_numbers(finished.events())[:-1]


def test_so_they_do_in_bf16_while_they_are_diagnosed(finished: Record, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    config = finished.config.model_copy(update={"precision": "bf16", "diagnose_every": 3})
    run(config, tmp_path / "in turn")
    request.getfixturevalue("at_once")
    run(config, tmp_path / "at once")
    assert same(checkpoint(tmp_path / "at once"), checkpoint(tmp_path / "in turn"))
    told, wanted = (told_numbers(Record(tmp_path / name).events())[:-1] for name in ("at once", "in turn"))
    assert told == wanted


@pytest.mark.usefixtures("at_once")
def test_a_run_of_two_at_the_same_time_that_was_left_goes_on_bit_identically(finished: Record, tmp_path: Path) -> None:
    run(finished.config, tmp_path, request=at_step(tmp_path, 6, "leave"))
    run(finished.config, tmp_path, resume=True)
    assert same(checkpoint(tmp_path), checkpoint(finished.folder))


@pytest.mark.usefixtures("at_once")
def test_what_fails_in_one_of_two_that_learn_at_the_same_time_fails_the_run(
    finished: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def new_arm(config: RunConfig, index: int, device: torch.device) -> Arm:
        arm = real(config, index, device)
        steps = iter(range(12))

        def forward(images: torch.Tensor) -> Any:
            if index == 1 and next(steps) == 6:
                raise MemoryError
            return arm.model(images)

        arm.forward = forward
        return arm

    real = assemble.new_arm
    monkeypatch.setattr(assemble, "new_arm", new_arm)
    last = run(finished.config.model_copy(update={"checkpoint_every": 4}), tmp_path)[-1]
    assert isinstance(last, RunFailed)
    assert last.reason.startswith("The memory is full")
    assert checkpoint(tmp_path)["step"] == 4  # of both: a step in which one failed is not half kept


def test_a_stopped_run_can_be_continued_to_its_end(finished: Record, tmp_path: Path) -> None:
    run(finished.config, tmp_path, request=at_step(tmp_path, 7, "stop"))
    run(finished.config, tmp_path, resume=True)
    assert Record(tmp_path).status() == "finished"
    assert same(checkpoint(tmp_path), checkpoint(finished.folder))


def test_a_finished_run_that_is_resumed_stays_as_it_is(finished: Record, tmp_path: Path) -> None:
    run(finished.config, tmp_path)
    events = run(finished.config, tmp_path, resume=True)
    assert [event.kind for event in events] == ["started", "finished"]
    assert same(checkpoint(tmp_path), checkpoint(finished.folder))


def test_the_whole_time_of_a_run_counts_its_earlier_lives(finished: Record, tmp_path: Path) -> None:
    run(finished.config, tmp_path, request=at_step(tmp_path, 4, "pause"))
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    torch.save({**state, "seconds": 1000.0}, tmp_path / "checkpoint.pt")
    last = run(finished.config, tmp_path, resume=True)[-1]
    assert isinstance(last, RunFinished)
    assert 1000 < last.seconds < 1300


def test_a_diverged_arm_stays_out_of_a_resumed_run(picture_folder: Path, tmp_path: Path) -> None:
    config = tiny_run(
        picture_folder, optimizer={"learning_rate": 10.0}, arms=(tiny_arm("wild", batch_norm=False), tiny_arm("calm"))
    )
    events = run(config, tmp_path, request=at_step(tmp_path, 9, "pause"))
    broken = [event for event in events if isinstance(event, ArmDiverged)]
    assert [event.arm for event in broken] == ["wild"]
    assert not math.isfinite(broken[0].loss)
    events = run(config, tmp_path, resume=True)
    assert "wild" not in {getattr(event, "arm", "") for event in events}
    assert isinstance(events[-1], RunFinished)
    assert not (tmp_path / "arms" / "wild").exists()


def test_a_damaged_checkpoint_ends_in_a_sentence(finished: Record, tmp_path: Path) -> None:
    run(finished.config, tmp_path, request=at_step(tmp_path, 4, "pause"))
    (tmp_path / "checkpoint.pt").write_bytes(b"no checkpoint")
    last = run(finished.config, tmp_path, resume=True)[-1]
    assert isinstance(last, RunFailed)
    assert "is damaged" in last.reason


def test_missing_data_and_other_classes_fail_with_a_reason(picture_folder: Path, tmp_path: Path) -> None:
    last = run(tiny_run(tmp_path / "nowhere"), tmp_path / "a")[-1]
    assert isinstance(last, RunFailed)
    assert "There is no data set" in last.reason
    last = run(tiny_run(picture_folder, arms=(tiny_arm("ten", classes=10),)), tmp_path / "b")[-1]
    assert isinstance(last, RunFailed)
    assert "has 3 classes; the networks have 10" in last.reason


def test_a_second_process_is_refused(finished: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with RecordWriter(tmp_path, finished.config, resume=False) as writer:
        monkeypatch.setattr(writer._lock.__class__, "acquire", _times_out)
        with pytest.raises(RunError, match="Another process is training"):
            run(finished.config, tmp_path, resume=True)
        monkeypatch.undo()


def _times_out(self: Any, timeout: float) -> None:
    from filelock import Timeout

    raise Timeout(self.lock_file)


def test_full_memory_is_told_as_such(finished: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(*args: Any, **options: Any) -> Iterator[Event]:
        yield Measured(step=1, arm="plain8", split="test", loss=1.0, error=0.5)
        torch.empty(2**60)  # what torch says when it can have no more

    monkeypatch.setattr(session, "train", train)
    last = run(finished.config, tmp_path)[-1]
    assert isinstance(last, RunFailed)
    assert last.reason.startswith("The memory is full. Take a smaller batch")
    monkeypatch.undo()
    assert isinstance(run(finished.config, tmp_path, resume=True)[-1], RunFinished)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG])
def test_a_full_disk_is_told_as_such_and_the_run_can_go_on(
    finished: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def full(self: RecordWriter, content: bytes) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(RecordWriter, "save_checkpoint", full)
    last = run(finished.config, tmp_path)[-1]
    assert last == RunFailed(step=4, reason="The disk is full. Make room where the runs are kept, then continue the run.")
    monkeypatch.undo()
    run(finished.config, tmp_path, resume=True)
    assert same(checkpoint(tmp_path), checkpoint(finished.folder))


def test_an_arm_whose_weights_are_not_finite_is_not_written(
    finished: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(arms: list[Arm], *args: Any, **options: Any) -> Iterator[Event]:
        for arm in arms:
            yield Measured(step=12, arm=arm.name, split="test", loss=1.0, error=0.5)
        torch.nn.init.constant_(next(arms[0].model.parameters()), math.inf)

    monkeypatch.setattr(session, "train", train)
    events = run(finished.config, tmp_path)
    assert [event.arm for event in events if isinstance(event, ArmDiverged)] == ["plain8"]
    assert isinstance(events[-1], RunFinished)
    assert [path.name for path in (tmp_path / "arms").iterdir()] == ["residual8"]


def test_a_run_whose_every_network_diverged_has_failed_and_stays_so(picture_folder: Path, tmp_path: Path) -> None:
    config = tiny_run(picture_folder, optimizer={"learning_rate": 10.0}, arms=(tiny_arm("wild", batch_norm=False),))
    events = run(config, tmp_path)
    broken = next(event.step for event in events if isinstance(event, ArmDiverged))
    assert broken < 12
    assert events[-1] == RunFailed(step=broken, reason=session.ALL_DIVERGED)
    assert "take a smaller learning rate or a warm-up" in session.ALL_DIVERGED
    again = run(config, tmp_path, resume=True)
    assert [(event.kind, event.step) for event in again] == [("started", broken), ("failed", broken)]


def test_all_processes_train_in_the_format_that_the_first_one_chose(
    picture_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "faster_precision", lambda _: "fp32")
    monkeypatch.setattr(distributed, "broadcast", lambda value: "bf16" if value == "fp32" else value)
    begun = run(tiny_run(picture_folder, steps=1, precision="auto"), tmp_path)[0]
    assert isinstance(begun, RunStarted)
    assert begun.precision == "bf16"


@pytest.mark.parametrize("world", [3, 16])
def test_a_batch_that_the_processes_cannot_share_is_refused(
    finished: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, world: int
) -> None:
    monkeypatch.setattr(distributed, "processes", lambda _: nullcontext((0, world)))
    with pytest.raises(
        RunError, match=f"A batch of 8 cannot be shared evenly by {world} processes: take a multiple of {world}"
    ):
        run(finished.config, tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_the_learning_rate_starts_low_where_a_recipe_asks_for_it(picture_folder: Path) -> None:
    config = tiny_run(picture_folder, optimizer={"learning_rate": 0.1, "schedule": "constant", "low_start": 3})
    plan = assemble.plan_of(config)
    assert [plan.learning_rate(step) for step in range(5)] == pytest.approx([0.01, 0.01, 0.01, 0.1, 0.1])
