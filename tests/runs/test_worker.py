"""The process that trains, for real: runs outlive what happens to it, and it does not outlive the app."""

from __future__ import annotations

import os
import queue
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import torch

from resnet_demo.comparison import LabSettings, comparison
from resnet_demo.config import ModelConfig, RunConfig
from resnet_demo.data.dataset import BundledCache
from resnet_demo.runs import time_steps, worker
from resnet_demo.runs.service import RunService, RunState
from resnet_demo.runs.worker import Inbox
from resnet_demo.runs.worker_process import WorkerProcess
from resnet_demo.training import session
from resnet_demo.training.events import RunFailed, RunStarted, TrainingPoint
from resnet_demo.training.machine import Machine
from tests.tiny import ENVIRONMENT, same, tiny_run, told_numbers

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals are sent")
ENDLESS = 100_000
PATIENCE = 200.0


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def trainer() -> WorkerProcess:
    return WorkerProcess()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, trainer: WorkerProcess) -> Iterator[RunService]:
    lab = RunService(tmp_path_factory.mktemp("lab"), trainer, token="teacher")
    lab.start()
    wait_for(lambda: lab.machine)
    yield lab
    lab.close()


def ended(lab: RunService, run: str) -> RunState:
    wait_for(lambda: lab.state(run).status not in ("waiting", "running"))
    return lab.state(run)


def trained(lab: RunService, run: str, steps: int) -> Callable[[], bool]:
    """Whether the run has a checkpoint and some points after it."""
    return lambda: lab.record(run).checkpoint.exists() and lab.state(run).step >= steps


def test_a_run_trains_as_it_does_without_a_page_and_the_page_process_needs_no_torch(
    lab: RunService, picture_folder: Path, tmp_path: Path
) -> None:
    config = tiny_run(picture_folder)
    assert ended(lab, lab.submit(config, "a")).status == "finished"
    list(session.run(config, tmp_path))
    here = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    there = torch.load(lab.record(lab.runs()[0].id).checkpoint, weights_only=True)
    assert same(here["arms"], there["arms"])
    code = "import resnet_demo.runs.service, sys; print('torch' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=ENVIRONMENT).stdout
        == "False\n"
    )


def test_what_was_asked_after_a_run_had_ended_is_not_asked_of_its_continuation() -> None:
    lines: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    inbox = Inbox(iter(lines.get, b""))  # type: ignore[arg-type]  # it never ends: the end ends the process
    lines.put(b'{"do": "pause", "folder": "run"}')
    lines.put(b'{"do": "train", "folder": "run", "resume": true}')
    assert inbox.next() == {"do": "train", "folder": "run", "resume": True}
    assert inbox.request("run") == "go on"
    lines.put(b'{"do": "stop", "folder": "run"}')
    wait_for(lambda: inbox.request("run") == "stop")


def test_a_run_is_paused_continued_and_stopped_from_outside(lab: RunService, picture_folder: Path) -> None:
    run = lab.submit(tiny_run(picture_folder, steps=ENDLESS), "a")
    wait_for(trained(lab, run, 5))
    lab.pause(run, "a")
    paused = ended(lab, run)
    assert paused.status == "paused"
    other = lab.submit(tiny_run(picture_folder), "b")
    assert ended(lab, other).status == "finished"
    assert lab.state(run).step == paused.step
    lab.resume(run, "a")
    wait_for(lambda: lab.state(run).step > paused.step)
    started = [event.step for event in lab.events(run)[0] if isinstance(event, RunStarted)]
    assert started == [0, paused.step]
    lab.stop(run, "c", "teacher")
    assert ended(lab, run).status == "stopped"
    assert (lab.record(run).folder / "arms" / "residual8" / "model.safetensors").exists()


def test_a_killed_process_fails_its_run_with_a_reason_and_the_next_run_works(
    lab: RunService, trainer: WorkerProcess, picture_folder: Path
) -> None:
    run = lab.submit(tiny_run(picture_folder, steps=ENDLESS), "a")
    wait_for(trained(lab, run, 5))
    pid = trainer.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    state = ended(lab, run)
    assert state.status == "failed"
    assert "killed by SIGKILL, perhaps because the memory was full" in state.reason
    assert ended(lab, lab.submit(tiny_run(picture_folder), "b")).status == "finished"
    assert trainer.pid != pid
    lab.resume(run, "a")
    wait_for(lambda: lab.state(run).status == "running" and lab.state(run).step > state.step)
    lab.stop(run, "a")
    assert ended(lab, run).status == "stopped"


def test_bad_data_fails_one_run_and_not_the_next(lab: RunService, picture_folder: Path, tmp_path: Path) -> None:
    bad = ended(lab, lab.submit(tiny_run(tmp_path / "nowhere"), "a"))
    assert (bad.status, bad.step) == ("failed", 0)
    assert "There is no data set" in bad.reason
    assert ended(lab, lab.submit(tiny_run(picture_folder), "a")).status == "finished"


def test_sigterm_to_the_process_leaves_a_checkpoint_and_the_run_goes_on_in_the_next(
    lab: RunService, trainer: WorkerProcess, picture_folder: Path
) -> None:
    run = lab.submit(tiny_run(picture_folder, steps=ENDLESS, checkpoint_every=0), "a")
    wait_for(lambda: lab.state(run).step >= 5)
    pid = trainer.pid
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    state = ended(lab, run)
    assert (state.status, torch.load(lab.record(run).checkpoint, weights_only=True)["step"]) == ("interrupted", state.step)
    other = lab.submit(tiny_run(picture_folder), "b")
    assert ended(lab, other).status == "finished"
    assert trainer.pid != pid
    lab.delete(run, "a")


def test_an_app_that_closes_leaves_a_checkpoint_of_the_run_that_trains(picture_folder: Path, tmp_path: Path) -> None:
    closing = RunService(tmp_path, WorkerProcess())
    closing.start()
    run = closing.submit(tiny_run(picture_folder, steps=ENDLESS, checkpoint_every=0), "a")
    wait_for(lambda: closing.state(run).step >= 5)
    closing.close()
    state = RunService(tmp_path, WorkerProcess()).state(run)
    assert (state.status, torch.load(closing.record(run).checkpoint, weights_only=True)["step"]) == ("interrupted", state.step)


APP = """
import sys, time
from pathlib import Path
from resnet_demo.config import RunConfig
from resnet_demo.parsing import parse
from resnet_demo.runs.service import RunService
from resnet_demo.runs.worker_process import WorkerProcess
trainer = WorkerProcess()
lab = RunService(Path(sys.argv[1]), trainer)
lab.start()
run = lab.submit(parse(RunConfig, sys.argv[2]), "a")
while not (lab.record(run).checkpoint.exists() and lab.state(run).step >= 5):
    time.sleep(0.02)
print(run, trainer.pid, flush=True)
time.sleep(600)
"""


def test_when_the_app_is_killed_nothing_trains_on_and_a_restart_continues_bit_identically(
    picture_folder: Path, tmp_path: Path
) -> None:
    config = tiny_run(picture_folder, steps=60, evaluate_every=0)
    command = [sys.executable, "-c", APP, str(tmp_path), config.model_dump_json()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENVIRONMENT) as app:
        assert app.stdout is not None
        run, worker = app.stdout.readline().split()
        app.kill()
    wait_for(lambda: not psutil.pid_exists(int(worker)) or psutil.Process(int(worker)).status() == psutil.STATUS_ZOMBIE)
    again = RunService(tmp_path, WorkerProcess())
    state = again.state(run)
    if state.status == "finished":
        pytest.skip("the run was over before the app could be killed")
    assert state.status == "interrupted"
    assert 0 < state.step < 60
    again.resume(run, "a")
    again.start()
    try:
        assert ended(again, run).status == "finished"
    finally:
        again.close()
    check_uninterrupted(again, run, config, tmp_path / "uninterrupted")


def check_uninterrupted(lab: RunService, run: str, config: RunConfig, folder: Path) -> None:
    """The same run in one go, in a process like the worker, gives the same weights and the same record."""
    code = "import sys; from pathlib import Path; from resnet_demo.config import *; from resnet_demo.training import session\n"
    code += "list(session.run(parse(RunConfig, sys.argv[1]), Path(sys.argv[2])))"
    subprocess.run([sys.executable, "-c", code, config.model_dump_json(), str(folder)], check=True, env=ENVIRONMENT)
    record = lab.record(run)
    ours, theirs = (torch.load(path, weights_only=True) for path in (record.checkpoint, folder / "checkpoint.pt"))
    assert same(ours["arms"], theirs["arms"])
    assert same(ours["streams"], theirs["streams"])
    events, wanted = record.events(), type(record)(folder).events()
    assert told_numbers(events)[:-1] == told_numbers(wanted)[:-1]
    assert sum(isinstance(event, TrainingPoint) for event in events) == 120


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 300 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(disk)]
    try:
        allowed = subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        allowed = False
    if not allowed:
        pytest.skip("mounting a small disk is not allowed here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_full_disk_fails_the_run_with_a_reason_and_room_lets_it_go_on(small_disk: Path, picture_folder: Path) -> None:
    config = tiny_run(picture_folder, steps=ENDLESS)
    last = list(session.run(config, small_disk / "run"))[-1]
    assert isinstance(last, RunFailed)
    assert last.reason == "The disk is full. Make room where the runs are kept, then continue the run."
    record = type(session.Record(small_disk / "run"))(small_disk / "run")
    assert record.status() == "failed"
    assert record.events()[-1] == last
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    asked = iter(["go on"] * 3 + ["stop"])
    after = list(session.run(config, small_disk / "run", resume=True, request=lambda: next(asked)))
    assert after[0].step > 0
    assert after[-1].step == after[0].step + 3  # asked once before the first step


def test_the_worker_tells_which_networks_could_not_be_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    config = comparison(LabSettings(depth=8, width=4))
    warm = worker._Warm(Machine(torch.device("cpu")), BundledCache())

    def times(model: ModelConfig, *_: object) -> tuple[float, float]:
        if model.residual:
            raise MemoryError
        return 0.5, 0.25

    monkeypatch.setattr(time_steps, "time_steps", times)
    plain, residual = (arm.model.model_dump() for arm in config.arms)
    timed = {"model": plain, "step_seconds": 0.5, "picture_seconds": 0.25}
    assert worker._measure(config, lambda: False, warm) == {"measured": [timed], "failed": [residual]}
    monkeypatch.setattr(time_steps, "time_steps", lambda *_: None)  # a visitor's run is there
    assert worker._measure(config, lambda: True, warm) == {"measured": [], "failed": []}
