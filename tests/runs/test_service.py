"""The queue's rules, with a stand-in trainer: what it is sent, and what it replies, is up to the test."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path
from typing import Any

import pytest

from resnet_demo.comparison import PRESETS, LabSettings, comparison
from resnet_demo.config import RunConfig
from resnet_demo.errors import RunError, SettingError
from resnet_demo.runs import permissions, queue
from resnet_demo.runs.forecast import Forecast, forecast
from resnet_demo.runs.run_state import RunState
from resnet_demo.runs.service import RunService
from resnet_demo.training import session
from resnet_demo.training.events import Progress, RunFailed
from resnet_demo.training.record import Record, RecordWriter
from tests.runs.stand_in import MACHINE, Opened, StandIn
from tests.tiny import tiny_run
from tests.training.test_record import point, started


@pytest.fixture
def config(picture_folder: Path) -> RunConfig:
    return tiny_run(picture_folder)


def test_runs_wait_until_the_process_is_warm_and_train_one_after_the_other(opened: Opened, config: RunConfig) -> None:
    lab, worker = opened.lab, opened.worker
    first, second, third = (lab.submit(config, visitor) for visitor in ("a", "b", "c"))
    assert [lab.state(run).place for run in (first, second, third)] == [1, 2, 3]
    worker.ready()
    assert worker.trains() == [first]
    assert [lab.state(run).status for run in (first, second, third)] == ["running", "waiting", "waiting"]
    assert [lab.state(run).place for run in (first, second, third)] == [0, 1, 2]
    opened.done(first)
    opened.done(second)
    assert worker.trains() == [first, second, third]
    assert [state.id for state in lab.runs()] == sorted((first, second, third), reverse=True)


def test_a_visitor_has_one_run_waiting_at_most(opened: Opened, config: RunConfig) -> None:
    opened.worker.ready()
    lab = opened.lab
    lab.submit(config, "a")  # trains
    lab.submit(config, "a")  # waits
    with pytest.raises(SettingError, match="You already have a run waiting"):
        lab.submit(config, "a")
    lab.submit(config, "b")
    assert len(list(lab.folder.glob("*/config.json"))) == 3


def test_the_queue_has_an_end(opened: Opened, config: RunConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "LONGEST_QUEUE", 2)
    opened.lab.submit(config, "a")
    opened.lab.submit(config, "b")
    with pytest.raises(SettingError, match="2 runs are waiting already"):
        opened.lab.submit(config, "c")


def test_a_run_longer_than_anyone_may_start_needs_the_teachers_token(opened: Opened) -> None:
    lab, long = opened.lab, comparison(PRESETS["The paper's recipe"].settings)
    for token in (None, "", "a guess"):
        with pytest.raises(SettingError, match="without the teacher's token a run may take 30 minutes"):
            lab.submit(long, "a", token)
    assert lab.runs() == ()
    assert lab.state(lab.submit(long, "a", "teacher")).place == 1


def test_the_queue_survives_a_restart(opened: Opened, config: RunConfig) -> None:
    queue = [opened.lab.submit(config, visitor) for visitor in ("a", "b")]
    again = Opened(opened.lab.folder.parent)
    assert [again.lab.state(run).place for run in queue] == [1, 2]
    with pytest.raises(SettingError, match="already have a run waiting"):
        again.lab.submit(config, "a")
    again.worker.ready()
    assert again.worker.trains() == queue[:1]


def test_a_damaged_queue_file_loses_no_run(opened: Opened, config: RunConfig) -> None:
    run = opened.lab.submit(config, "a")
    (opened.lab.folder / "queue.json").write_text('["../../etc", "20')
    again = Opened(opened.lab.folder.parent)
    assert again.lab.state(run).status == "interrupted"
    again.lab.resume(run, "a")
    assert again.lab.state(run).status == "waiting"
    (opened.lab.folder / "queue.json").write_text('["../../etc", 7]')
    assert list(Opened(opened.lab.folder.parent).lab._waiting) == []


def test_only_its_owner_or_the_teacher_ends_a_run(opened: Opened, config: RunConfig) -> None:
    lab = opened.lab
    opened.worker.ready()
    run = lab.submit(config, "a")
    for visitor, token in (("b", None), ("", None), ("b", "guess"), ("b", "teachers"), ("b", "")):
        for action in (lab.stop, lab.pause, lab.resume, lab.delete):
            with pytest.raises(SettingError, match="the teacher's token"):
                action(run, visitor, token)
    assert all(command["do"] != "stop" for command in opened.worker.commands)
    lab.pause(run, "a")
    lab.stop(run, "b", "teacher")
    requests = [command["do"] for command in opened.worker.commands if command["do"] in ("pause", "stop")]
    assert requests == ["pause", "stop"]
    assert (lab.state(run, "a").yours, lab.state(run, "b").yours, lab.state(run).yours) == (True, False, False)


def test_a_new_token_cannot_be_guessed_and_the_environment_may_name_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RESNET_DEMO_TOKEN", raising=False)
    tokens = {RunService(tmp_path, StandIn()).token for _ in range(3)}
    assert len(tokens) == 3
    assert min(map(len, tokens)) >= 16
    monkeypatch.setenv("RESNET_DEMO_TOKEN", "ours")
    assert RunService(tmp_path, StandIn()).token == "ours"


def test_stopping_a_run_that_waits_takes_it_out_of_the_queue(opened: Opened, config: RunConfig) -> None:
    lab = opened.lab
    run = lab.submit(config, "a")
    lab.pause(run, "a")
    assert (lab.state(run).status, lab.state(run).place) == ("paused", 0)
    lab.resume(run, "a")
    lab.stop(run, "a")
    assert lab.state(run).status == "stopped"
    assert json.loads((lab.folder / "queue.json").read_text()) == []
    with pytest.raises(SettingError, match="is stopped: it cannot be stopped"):
        lab.stop(run, "a")
    lab.resume(run, "a")
    assert lab.state(run).status == "waiting"


def test_stopping_a_run_that_was_left_lets_the_process_write_down_what_was_learnt(opened: Opened, config: RunConfig) -> None:
    lab, worker = opened.lab, opened.worker
    worker.ready()
    run = lab.submit(config, "a")
    answers = iter(["go on"] * 4 + ["pause"])
    for _ in session.run(config, lab.folder / run, resume=True, request=lambda: next(answers)):  # type: ignore[arg-type]
        pass
    opened.done(run)
    assert lab.state(run).status == "paused"
    lab.stop(run, "a")
    assert [command["do"] for command in worker.commands[-2:]] == ["train", "stop"]
    for _ in session.run(config, lab.folder / run, resume=True, request=lambda: "stop"):
        pass
    opened.done(run)
    assert (lab.state(run).status, lab.state(run).step) == ("stopped", 5)
    assert (lab.folder / run / "arms" / "residual8" / "model.safetensors").exists()


def train_until(lab: RunService, run: str, word: session.Request, steps: int = 4) -> None:
    """Play the worker: train a run for some steps, then do what the word says."""
    answers = iter(["go on"] * steps + [word] * 9)
    for _ in session.run(lab.record(run).config, lab.folder / run, resume=True, request=lambda: next(answers)):  # type: ignore[arg-type]
        pass


@pytest.fixture
def continued(opened: Opened, config: RunConfig) -> tuple[str, str]:
    """A run that was paused, continued and waits, and the run that trains meanwhile."""
    lab = opened.lab
    opened.worker.ready()
    run = lab.submit(config, "a")
    train_until(lab, run, "pause")
    opened.done(run)
    other = lab.submit(config, "b")
    lab.resume(run, "a")
    assert (lab.state(run).place, lab.state(other).status) == (1, "running")
    return run, other


def test_a_continued_run_that_waits_leaves_the_queue_at_once_when_it_is_stopped_and_keeps_what_it_learnt(
    opened: Opened, config: RunConfig, continued: tuple[str, str]
) -> None:
    lab, worker, (run, other) = opened.lab, opened.worker, continued
    commands = list(worker.commands)
    lab.stop(run, "a")
    state = lab.state(run)
    assert (state.status, state.step, state.place) == ("stopped", 5, 0)
    assert "its weights are written, as soon as the trainer is free" in state.reason
    assert json.loads((lab.folder / "queue.json").read_text()) == []
    assert (worker.commands, lab.state(other).status) == (commands, "running")
    third = lab.submit(config, "a")
    assert lab.state(third).place == 1
    opened.done(other)
    assert [(command["do"], Path(command["folder"]).name) for command in worker.commands[-2:]] == [
        ("train", run),
        ("stop", run),
    ]
    assert (lab.state(run).status, lab.state(third).place) == ("stopped", 1)
    for action in (lab.resume, lab.delete):
        with pytest.raises(SettingError, match="its weights are being written: try again in a moment"):
            action(run, "a")
    for action in (lab.stop, lab.pause):
        with pytest.raises(SettingError, match="is stopped: it cannot be"):
            action(run, "a")
    train_until(lab, run, "stop", steps=0)
    opened.done(run)
    state = lab.state(run)
    assert (state.status, state.step, state.reason) == ("stopped", 5, "")
    assert (lab.folder / run / "arms" / "residual8" / "model.safetensors").exists()
    assert worker.trains()[-1] == third


def test_weights_that_are_still_to_be_written_survive_a_restart(opened: Opened, continued: tuple[str, str]) -> None:
    run, _ = continued
    opened.lab.stop(run, "a")
    again = Opened(opened.lab.folder.parent)
    again.worker.ready()
    assert again.worker.trains() == [run]
    again.done(run)  # without an ending: the app closed, and the worker left
    third = Opened(opened.lab.folder.parent)
    third.worker.ready()
    train_until(third.lab, run, "stop", steps=0)
    third.done(run)
    assert json.loads((third.lab.folder / "exports.json").read_text()) == []


def test_a_run_that_is_continued_before_its_weights_are_written_trains_on(opened: Opened, continued: tuple[str, str]) -> None:
    lab, (run, other) = opened.lab, continued
    lab.stop(run, "a")
    lab.resume(run, "a")
    assert (lab.state(run).status, lab.state(run).reason) == ("waiting", "")
    opened.done(other)
    assert opened.worker.commands[-1]["do"] == "train"
    assert lab.state(run).status == "running"


def test_weights_that_end_the_worker_twice_are_given_up_with_a_reason(opened: Opened, continued: tuple[str, str]) -> None:
    lab, (run, other) = opened.lab, continued
    lab.stop(run, "a")
    opened.done(other)
    for _ in range(2):
        opened.worker.on_death("killed by SIGKILL")
        opened.worker.ready()
    assert lab.state(run).status == "failed"
    assert "killed by SIGKILL" in lab.state(run).reason


def test_closing_leaves_the_queue_as_it_is(opened: Opened, config: RunConfig) -> None:
    opened.worker.ready()
    run, queue = opened.lab.submit(config, "a"), opened.lab.submit(config, "b")
    opened.lab.close()
    opened.done(run)
    again = Opened(opened.lab.folder.parent)
    assert (again.lab.state(run).place, again.lab.state(queue).place) == (0, 1)


def test_a_run_that_cannot_be_written_down_is_refused_in_a_sentence(
    opened: Opened, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(permissions, "write_atomically", full)
    with pytest.raises(RunError, match=r"No space left on device\. Make room there"):
        opened.lab.submit(config, "a")
    assert opened.lab.runs() == ()


@pytest.mark.parametrize(
    "run_id", ["", "..", "../runs", "20260101-000000-abcdef/..", "20260101-000000-abcdef", "a" * 5000, None, 7]
)
def test_an_id_that_is_no_run_leads_nowhere(opened: Opened, run_id: Any) -> None:
    (opened.lab.folder.parent / "config.json").write_text("{}")
    for question in (opened.lab.state, opened.lab.record, opened.lab.events, opened.lab.summary):
        with pytest.raises(SettingError, match="There is no run"):
            question(run_id)
    with pytest.raises(SettingError, match="There is no run"):
        opened.lab.delete(run_id, "a", "teacher")


def test_a_run_whose_process_died_has_failed_with_a_reason_and_the_next_one_trains(opened: Opened, config: RunConfig) -> None:
    lab, worker = opened.lab, opened.worker
    worker.ready()
    run, following = lab.submit(config, "a"), lab.submit(config, "b")
    with RecordWriter(lab.folder / run, config, resume=True) as writer:
        writer.append(started())
        writer.append(point(3))
    worker.on_death("killed by SIGKILL")
    state = lab.state(run)
    assert (state.status, state.step) == ("failed", 3)
    assert state.reason == (
        "The process that trained this run ended unexpectedly (killed by SIGKILL). It can be continued from its last checkpoint."
    )
    assert isinstance(Record(lab.folder / run).events()[-1], RunFailed)
    worker.ready()
    assert worker.trains() == [run, following]
    lab.resume(run, "a")
    assert lab.state(run).place == 1


def test_a_run_that_had_not_begun_when_the_process_died_is_tried_once_more(opened: Opened, config: RunConfig) -> None:
    lab, worker = opened.lab, opened.worker
    worker.ready()
    run = lab.submit(config, "a")
    worker.on_death("killed by SIGKILL")
    assert lab.state(run).place == 1
    worker.ready()
    assert worker.trains() == [run, run]
    worker.on_death("killed by SIGKILL")
    assert lab.state(run).status == "failed"


@pytest.mark.parametrize(("action", "status"), [("stop", "stopped"), ("pause", "paused")])
def test_what_was_asked_of_a_run_holds_when_the_process_dies_before_its_first_event(
    opened: Opened, config: RunConfig, action: str, status: str
) -> None:
    lab, worker = opened.lab, opened.worker
    worker.ready()
    run, following = lab.submit(config, "a"), lab.submit(config, "b")
    getattr(lab, action)(run, "a")
    assert lab.state(run).status == "running"  # the trainer has not come to it
    worker.on_death("killed by SIGKILL")
    assert (lab.state(run).status, lab.state(run).place) == (status, 0)
    worker.ready()
    assert worker.trains() == [run, following]
    lab.resume(run, "a")  # and what was asked before does not hold for the continued run
    opened.done(following)
    worker.on_death("killed by SIGKILL")
    assert lab.state(run).place == 1


def test_a_failure_that_cannot_be_written_down_is_told_all_the_same(
    opened: Opened, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.worker.ready()
    run = opened.lab.submit(config, "a")

    def no_room(self: RecordWriter) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(RecordWriter, "__enter__", no_room)
    opened.done(run, failed="The disk is full.")
    assert (opened.lab.state(run).status, opened.lab.state(run).reason) == ("failed", "The disk is full.")


def test_a_run_that_the_app_left_is_interrupted_and_can_be_continued(opened: Opened, config: RunConfig) -> None:
    opened.worker.ready()
    run = opened.lab.submit(config, "a")
    with RecordWriter(opened.lab.folder / run, config, resume=True) as writer:
        writer.append(started())
    again = Opened(opened.lab.folder.parent)
    assert again.lab.state(run).status == "interrupted"
    assert "can be continued" in again.lab.state(run).reason
    again.lab.resume(run, "a")
    again.worker.ready()
    assert again.worker.trains() == [run]
    with pytest.raises(SettingError, match="is running: there is nothing to continue"):
        again.lab.resume(run, "a")


@pytest.mark.parametrize("odd", [None, 7, b"a", ["a"]])
def test_a_visitor_or_token_that_is_no_text_is_refused_before_anything_is_made(
    opened: Opened, config: RunConfig, odd: Any
) -> None:
    with pytest.raises(SettingError, match="The visitor must be text"):
        opened.lab.submit(config, odd)
    assert opened.lab.runs() == ()
    run = opened.lab.submit(config, "a")
    for visitor, token in ((odd, None), ("b", odd)):
        with pytest.raises(SettingError, match="the teacher's token"):
            opened.lab.stop(run, visitor, token)
    assert opened.lab.state(run).status == "waiting"


@pytest.mark.parametrize("how", ["died", "said so"])
def test_a_run_that_fails_is_not_seen_as_interrupted_in_between(
    opened: Opened, config: RunConfig, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    opened.worker.ready()
    run = opened.lab.submit(config, "a")
    with RecordWriter(opened.lab.folder / run, config, resume=True) as writer:
        writer.append(started())
    statuses: list[str] = []
    begin = RecordWriter.__enter__

    def watched(self: RecordWriter) -> RecordWriter:
        statuses.append(opened.lab.state(run).status)
        return begin(self)

    monkeypatch.setattr(RecordWriter, "__enter__", watched)
    if how == "died":
        opened.worker.on_death("killed by SIGKILL")
    else:
        opened.done(run, failed="The disk is full.")
    assert (*statuses, opened.lab.state(run).status) == ("running", "failed")


def test_a_deleted_run_is_gone_and_one_that_trains_cannot_be_deleted(opened: Opened, config: RunConfig) -> None:
    lab = opened.lab
    opened.worker.ready()
    run = lab.submit(config, "a")
    with pytest.raises(SettingError, match="stop it before you delete it"):
        lab.delete(run, "a")
    for _ in session.run(config, lab.folder / run, resume=True):
        pass
    opened.done(run)
    assert lab.state(run).status == "finished"
    assert [row[:2] for row in lab.summary(run).rows] == [("plain8", 12), ("residual8", 12)]
    with pytest.raises(SettingError, match="another visitor's run"):
        lab.keep(run, "residual8", "kept", "b")
    assert lab.keep(run, "residual8", "kept", "a") == lab.folder.parent / "models" / "kept"
    lab.delete(run, "a")
    assert lab.runs() == ()
    assert not (lab.folder / run).exists()


def test_the_wait_is_what_the_runs_before_still_need(opened: Opened) -> None:
    lab = opened.lab
    opened.worker.ready()
    settings = LabSettings(depth=8, steps=100, warmup=0)
    config = comparison(settings)
    assert lab.estimate(settings) is None
    running, queue, last = (lab.submit(config, visitor) for visitor in ("a", "b", "c"))
    assert lab.state(queue).wait_seconds is None
    lab.step_times.add(config.arms[0].model, config, step_seconds=0.1, picture_seconds=0.001)
    with RecordWriter(lab.folder / running, config, resume=True) as writer:
        writer.append(started())
        writer.append(Progress(step=50, images_per_second=640.0, seconds_left=11.0, memory_mb=1.0))
    estimate = lab.estimate(settings)
    assert estimate is not None
    assert lab.state(running).seconds_left == 11
    assert lab.state(queue).wait_seconds == 11
    assert lab.state(last).wait_seconds == pytest.approx(11 + estimate.seconds)


def test_networks_nobody_timed_are_timed_when_there_is_nothing_else_to_do(opened: Opened, config: RunConfig) -> None:
    lab, worker = opened.lab, opened.worker
    worker.ready()
    assert [command["do"] for command in worker.commands] == ["measure"]  # the first preset, before anybody asks
    run_config = worker.commands[0]["config"]
    times = [{"model": run_config["arms"][0]["model"], "step_seconds": 0.1, "picture_seconds": 0.001}]
    worker.on_reply({"measured": times, "failed": []})
    estimate = lab.estimate(LabSettings())
    assert estimate is not None
    assert estimate.basis == "measured"
    assert estimate.seconds == pytest.approx(2 * (400 + 0.2 * 25) * 0.1 + 2 * 14 * 1_000 * 0.001)
    assert len(worker.commands) == 1
    lab.time_networks(LabSettings())
    assert len(worker.commands) == 1
    deeper = lab.estimate(LabSettings(depth=56))
    assert deeper is not None
    assert deeper.basis == "scaled"
    # Every 3×3 layer of a stage has 9·16·16·16² multiply-adds; two of the 54 (of the 30) have half of that, the stem has 3 of
    # 16 input channels, and the classifier has 64·10.
    layer = 9 * 16 * 16 * 16**2
    ratio = ((53 + 3 / 16) * layer + 640) / ((29 + 3 / 16) * layer + 640)
    assert deeper.seconds / estimate.seconds == pytest.approx(ratio)
    assert len(worker.commands) == 1  # an estimate only answers
    lab.time_networks(LabSettings(depth=56))
    assert [command["do"] for command in worker.commands] == ["measure", "measure"]
    run = lab.submit(config, "a")
    assert worker.trains() == [run]  # a visitor's run does not wait for a measurement; the worker breaks it off
    lab.time_networks(LabSettings(depth=110))
    assert [command["do"] for command in worker.commands] == ["measure", "measure", "train"]


def described(lab: RunService, settings: LabSettings) -> Forecast:
    """What the page does: it has the networks timed, and says what is known."""
    lab.time_networks(settings)
    return forecast(lab, settings)


def measured(worker: StandIn) -> int:
    return sum(command["do"] == "measure" for command in worker.commands)


@pytest.mark.parametrize("how", ["raised", "ended the worker"])
def test_what_could_not_be_timed_once_is_not_tried_again_and_its_estimate_stays(opened: Opened, how: str) -> None:
    worker, settings = opened.worker, LabSettings(depth=56)
    worker.ready()
    preset = worker.commands[0]["config"]["arms"][0]["model"]
    worker.on_reply({"measured": [{"model": preset, "step_seconds": 0.1, "picture_seconds": 0.001}], "failed": []})
    assert not described(opened.lab, settings).is_measured
    assert measured(worker) == 2
    if how == "raised":
        worker.on_reply({"measured": [], "failed": [arm["model"] for arm in worker.commands[-1]["config"]["arms"]]})
    else:
        worker.on_death("killed by SIGKILL")
        worker.ready()
    result = described(opened.lab, settings)
    assert (result.is_measured, measured(worker)) == (True, 2)
    assert result.text.startswith("About")
    assert not described(opened.lab, LabSettings(depth=20)).is_measured
    assert measured(worker) == 3  # another network is


def test_a_network_that_was_not_come_to_is_timed_later(opened: Opened) -> None:
    opened.worker.ready()
    opened.worker.on_reply({"measured": [], "failed": []})  # a visitor's run came first
    opened.lab.time_networks(LabSettings())
    assert measured(opened.worker) == 2


def test_a_network_whose_step_would_hold_up_visitors_is_not_timed(opened: Opened) -> None:
    worker, small = opened.worker, LabSettings(depth=8, width=4)
    worker.ready()
    worker.on_reply({"measured": [], "failed": [arm["model"] for arm in worker.commands[0]["config"]["arms"]]})
    config = comparison(small)
    opened.lab.step_times.add(config.arms[0].model, config, step_seconds=0.01, picture_seconds=0.001)
    huge = LabSettings(depth=110, width=64, batch=512, image_size=32)
    assert described(opened.lab, huge).is_measured
    assert measured(worker) == 1


def test_a_tiny_network_that_was_timed_first_keeps_no_larger_one_from_being_timed(opened: Opened) -> None:
    tiny = comparison(LabSettings(depth=8, width=4, batch=4, warmup=0))
    opened.lab.step_times.use_device(MACHINE["device"])
    opened.lab.step_times.add(tiny.arms[0].model, tiny, step_seconds=0.05, picture_seconds=0.001)  # nearly all of it overhead
    opened.worker.ready()
    assert measured(opened.worker) == 1
    assert "Its networks are being timed" in described(opened.lab, LabSettings()).text
    opened.lab.submit(comparison(LabSettings()), "a pupil")  # nor from being started without the teacher's token


def full(path: Path, content: bytes) -> None:
    raise OSError(28, "No space left on device")


def test_a_queue_that_cannot_be_written_refuses_a_run_and_keeps_on_training(
    opened: Opened, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab, worker = opened.lab, opened.worker
    worker.ready()
    first, second = lab.submit(config, "a"), lab.submit(config, "b")
    with monkeypatch.context() as patch:
        patch.setattr(queue, "write_atomically", full)
        with pytest.raises(RunError, match=r"No space left on device\. Make room there"):
            lab.submit(config, "c")
        assert [state.id for state in lab.runs()] == sorted((first, second), reverse=True)
        opened.done(first)
        assert worker.trains() == [first, second]
    third = lab.submit(config, "c")
    assert lab.state(third).place == 1
    opened.done(second)
    assert worker.trains() == [first, second, third]


@pytest.mark.parametrize("file", ["config.json", "events.jsonl", "ticket.json", "lock"])
@pytest.mark.parametrize("damage", ["other bytes", "a folder"])
def test_a_damaged_run_hides_no_other_run(opened: Opened, config: RunConfig, file: str, damage: str) -> None:
    damaged, other = opened.lab.submit(config, "a"), opened.lab.submit(config, "b")
    path = opened.lab.folder / damaged / file
    path.unlink(missing_ok=True)
    if damage == "a folder":
        path.mkdir()
    else:
        path.write_bytes(b"\xff\xfe\n")
    again = Opened(opened.lab.folder.parent)
    assert again.lab.state(other).status == "waiting"
    assert other in [state.id for state in again.lab.runs("b")]
    again.worker.ready()
    if again.worker.trains() == [damaged]:
        again.done(damaged, failed="It is damaged.")
    assert again.worker.trains()[-1] == other


def test_a_waiting_run_whose_folder_is_gone_holds_up_nobody(opened: Opened, config: RunConfig) -> None:
    lab, worker = opened.lab, opened.worker
    gone, following = lab.submit(config, "a"), lab.submit(config, "b")
    shutil.rmtree(lab.folder / gone)
    assert lab.state(following).place == 2
    worker.ready()
    assert worker.trains() == [following]
    shutil.rmtree(lab.folder / following)
    last = lab.submit(config, "a")
    worker.on_death("killed by SIGKILL")
    worker.ready()
    assert worker.trains() == [following, last]


def test_a_run_that_had_not_begun_when_the_process_died_on_a_full_disk_has_failed(
    opened: Opened, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened.worker.ready()
    run = opened.lab.submit(config, "a")
    monkeypatch.setattr(queue, "write_atomically", full)
    opened.worker.on_death("killed by SIGKILL")
    assert opened.lab.state(run).status == "failed"


def test_a_run_that_waits_only_to_be_stopped_is_told_so_again_when_the_process_dies(opened: Opened, config: RunConfig) -> None:
    lab, worker = opened.lab, opened.worker
    run = lab.submit(config, "a")
    lab.pause(run, "a")
    lab.record(run).checkpoint.write_bytes(b"what was learnt")
    lab.stop(run, "a")
    worker.ready()
    sequences = [("train", "stop"), ("train", "stop", "train", "stop")]
    for sequence in sequences:
        assert tuple(command["do"] for command in worker.commands if command["do"] != "measure") == sequence
        worker.on_death("killed by SIGKILL")
        worker.ready()


@pytest.mark.parametrize("how", ["done", "died"])
def test_stop_while_the_end_of_a_run_is_written_never_says_that_the_run_still_trains(
    opened: Opened, config: RunConfig, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    lab, worker = opened.lab, opened.worker
    worker.ready()
    run = lab.submit(config, "a")
    with RecordWriter(lab.folder / run, config, resume=True) as writer:
        writer.append(started())
    writes, may_write = threading.Event(), threading.Event()
    write, state_of = RecordWriter.__enter__, lab.state
    refusals: list[str] = []

    def slow_write(self: RecordWriter) -> RecordWriter:
        writes.set()
        assert may_write.wait(10)
        return write(self)

    def state(run_id: str, visitor: str = "") -> RunState:
        """Where Stop does not wait for the reply to be handled, it is handled between Stop's look and its deed."""
        before = state_of(run_id, visitor)
        may_write.set()
        reply.join(10)
        return before

    def stop() -> None:
        try:
            lab.stop(run, "a")
        except SettingError as error:
            refusals.append(str(error))

    replies = {"done": lambda: opened.done(run, failed="The disk is full."), "died": lambda: worker.on_death("exit status 3")}
    reply, stopping = threading.Thread(target=replies[how]), threading.Thread(target=stop)
    monkeypatch.setattr(RecordWriter, "__enter__", slow_write)
    monkeypatch.setattr(lab, "state", state)
    reply.start()
    assert writes.wait(10)
    stopping.start()
    stopping.join(0.2)  # time enough to reach the lock
    may_write.set()
    stopping.join()
    assert refusals == [f"Run {run} is failed: it cannot be stopped."]
    assert state_of(run).status == "failed"


def test_an_estimate_and_a_forecast_only_answer(opened: Opened) -> None:
    opened.worker.ready()
    opened.worker.on_reply({"measured": [], "failed": []})
    commands = list(opened.worker.commands)
    opened.lab.estimate(LabSettings(depth=56))
    forecast(opened.lab, LabSettings(depth=56))
    assert opened.worker.commands == commands
    assert not opened.lab.timing.is_busy


def test_a_run_whose_checkpoints_the_disk_has_no_room_for_is_refused(
    opened: Opened, config: RunConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(opened.lab.folder)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=500_000_000))
    with pytest.raises(SettingError, match="the disk has no room for their checkpoints"):
        opened.lab.submit(config, "a")
    assert opened.lab.runs() == ()


def test_so_many_models_are_kept_without_the_teachers_token(opened: Opened, config: RunConfig) -> None:
    lab = opened.lab
    run = lab.submit(config, "a")
    for number in range(50):
        (lab.folder.parent / "models" / str(number)).mkdir(parents=True)
    with pytest.raises(SettingError, match="50 models are kept here already"):
        lab.keep(run, "residual8", "kept", "a")
    with pytest.raises(SettingError, match="has no weights to keep yet"):
        lab.keep(run, "residual8", "kept", "b", "teacher")
