"""Kill training with SIGKILL at random moments, continue it, and compare with the run that was left alone.

    python benchmarks/kill_resume.py [--moments 200] [--victims run,worker,app,both] [--seed 0] [--threads 2] [--json]

Each trial begins the same small comparison anew (plain-8 and residual-8, augmented batches, checkpoints every 7
steps), kills at a random step and a random time within that step, and resumes it. The victims take turns: `run` is a
process that only trains; `worker`, `app` and `both` are the laboratory behind the page (the app without its web server)
and the process that trains for it. After each kill every line of the record, the queue, the measured times and the
checkpoint must be readable, or absent, and a new laboratory must list the run. Equal means: the weights, the state of the
optimizer and of the streams of batches, the written models byte for byte, and every point, measurement and diagnosis of
the record. Needs fork (Linux, macOS).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from resnet_demo.config import ArmConfig, DataConfig, ModelConfig, RunConfig
from resnet_demo.runs.service import RunService
from resnet_demo.runs.step_times import StepTimes
from resnet_demo.runs.worker_process import WorkerProcess
from resnet_demo.training import events, session
from resnet_demo.training.events import CheckpointSaved, Progress, RunFinished, RunStarted
from resnet_demo.training.record import ENDINGS, Record

SERVE = """
import signal, sys
from pathlib import Path
from resnet_demo.runs.service import RunService
from resnet_demo.runs.queue import single_app_lock
from resnet_demo.runs.worker_process import WorkerProcess

with single_app_lock(Path(sys.argv[1])):
    RunService(Path(sys.argv[1]), WorkerProcess()).start()
    signal.pause()
"""
STEPS = 60
VICTIMS = ("run", "worker", "app", "both")
RUN = "20260101-000000-abcdef"
CONFIG = RunConfig(
    arms=tuple(
        ArmConfig(name=f"{kind}8-s0", model=ModelConfig(depth=8, width=4, residual=kind == "residual"))
        for kind in ("plain", "residual")
    ),
    data=DataConfig(image_size=16, train_limit=200, test_limit=100),
    batch=16, steps=STEPS, precision="fp32", log_every=3, evaluate_every=20, diagnose_every=10, checkpoint_every=7,
)  # fmt: skip


def start(folder: Path, resume: bool, threads: int) -> int:
    """Train in a process of its own; gives its id."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            torch.set_num_threads(threads)
            for event in session.run(CONFIG, folder, resume=resume):
                status = 0 if isinstance(event, RunFinished) else 1
        finally:
            os._exit(status)
    return child


def finish(folder: Path, resume: bool, threads: int) -> None:
    """Train to the end."""
    _, status = os.waitpid(start(folder, resume, threads), 0)
    if status != 0:
        raise SystemExit(f"The run in {folder} did not finish: {Record(folder).read()[0][-1:]}")


def kill(folder: Path, step: int, extra: float, threads: int) -> int | None:
    """Start the run and kill it `extra` seconds after it has recorded `step`.

    Returns:
        The last step in its record; None if the run ended before the kill.
    """
    child = start(folder, False, threads)
    record = Record(folder)
    ended = status = 0
    while not (step == 0 and (folder / "lock").exists()) and max((e.step for e in record.read()[0]), default=-1) < step:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
        time.sleep(0.001)
    if not ended:
        time.sleep(extra)
        os.kill(child, signal.SIGKILL)  # harmless to one that has ended and was not waited for yet
        _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code not in (0, -signal.SIGKILL):
        raise SystemExit(f"The run in {folder} failed before it was killed: {record.read()[0][-1:]}")
    return max((event.step for event in record.read()[0]), default=0) if code else None


def kill_lab(folder: Path, victim: str, step: int, extra: float, threads: int) -> int | None:
    """Let a run service train the run, and kill it, its worker or both `extra` seconds after it has recorded `step`.

    Returns:
        The last step in its record after every process has exited; None if the run ended before the kill.
    """
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(CONFIG.model_dump_json())
    (folder.parent / "queue.json").write_text(json.dumps([folder.name]))
    record, home = Record(folder), folder.parent.parent
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(Path(__file__).parents[1])}
    app = subprocess.Popen([sys.executable, "-c", SERVE, str(home)], env=environment)
    workers: list[psutil.Process] = []
    try:
        while max((event.step for event in record.read()[0]), default=-1) < step:
            if app.poll() is not None:
                raise SystemExit("The laboratory ended before it was killed.")
            time.sleep(0.001)
        time.sleep(extra)
        workers = psutil.Process(app.pid).children()
        over = isinstance(record.read()[0][-1], ENDINGS)
        for process in {"worker": workers, "app": [app], "both": [app, *workers]}[victim]:
            process.kill()
        while victim == "worker" and not isinstance(record.read()[0][-1], ENDINGS):  # written by the app that lives on
            time.sleep(0.01)
    finally:
        successors = psutil.Process(app.pid).children() if victim == "worker" and app.poll() is None else []
        for process in [app, *successors]:
            process.kill()
        app.wait()
        psutil.wait_procs([*workers, *successors])  # a worker whose app is gone saves a checkpoint, and ends
    history = record.read()[0]
    over = over or isinstance(history[-1], RunFinished)  # it was quicker than the kill, or was given to the next worker
    return None if over else max(event.step for event in history)


def unreadable(folder: Path) -> list[str]:
    """What a kill left that cannot be read: lines of the record but for a torn last one, the checkpoint, the queue."""
    faults, home = [], folder.parent.parent
    lines = (folder / "events.jsonl").read_bytes().splitlines(keepends=True) if (folder / "events.jsonl").exists() else []
    for number, line in enumerate(lines):
        try:
            if line.endswith(b"\n") or number < len(lines) - 1:
                events.from_line(line)
        except ValueError:
            faults.append(f"line {number + 1} of events.jsonl")
    for path in (folder / "checkpoint.pt", home / "step_times.json", home / "runs" / "queue.json"):
        try:
            if path.suffix == ".pt" and path.exists():
                torch.load(path, weights_only=True)
            elif path.exists():
                json.loads(path.read_bytes())
        except Exception as error:  # torch.load raises many kinds
            faults.append(f"{path.name} ({type(error).__name__})")
    if folder.parent.name == "runs" and [state.id for state in RunService(home, WorkerProcess(), token="none").runs()] != [
        folder.name
    ]:
        faults.append("the list of runs")
    if not StepTimes(home / "step_times.json").read() and (home / "step_times.json").exists():
        faults.append("the measured times")
    return faults


def differences(ours: Record, theirs: Record) -> list[str]:
    """What is not equal, to the last bit."""
    faults = []
    here, there = (torch.load(record.checkpoint, weights_only=True) for record in (ours, theirs))
    faults += [part for part in ("step", "precision", "arms", "streams") if not equal(here[part], there[part])]
    for arm in CONFIG.arms:
        file = Path("arms") / arm.name / "model.safetensors"
        if (ours.folder / file).read_bytes() != (theirs.folder / file).read_bytes():
            faults.append(str(file))
    histories = [
        [event for event in record.events() if not isinstance(event, (RunStarted, RunFinished, Progress, CheckpointSaved))]
        for record in (ours, theirs)
    ]
    return faults + (["record"] if histories[0] != histories[1] else [])


def equal(first: object, second: object) -> bool:
    """Equal to the last bit, tensors included."""
    if isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor):
        return first.dtype == second.dtype and torch.equal(first, second)
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(equal(first[key], second[key]) for key in first)
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(equal(*pair) for pair in zip(first, second, strict=True))
    return first == second


def trial(home: Path, victim: str, draw: random.Random, a_step: float, threads: int) -> dict[str, object]:
    """Kill, look at what is left, continue, and compare with the run in `home`/alone."""
    while True:
        folder = home / f"{victim}-{draw.randrange(10**9)}" / "runs" / RUN
        step, extra = draw.randrange(STEPS - 3), draw.uniform(0, 2 * a_step)
        if victim == "run":
            folder.mkdir(parents=True)
            killed_at = kill(folder, step, extra, threads)
        else:
            killed_at = kill_lab(folder, victim, step, extra, threads)
        if killed_at is not None:
            break
        shutil.rmtree(folder.parent.parent)  # on a busy machine it may end first, and nothing was tried
    damage = unreadable(folder)
    finish(folder, True, threads)
    resumed_at = [event.step for event in Record(folder).events() if isinstance(event, RunStarted)][-1]
    unequal = differences(Record(folder), Record(home / "alone"))
    shutil.rmtree(folder.parent.parent)
    return {"victim": victim, "killed_at": killed_at, "resumed_at": resumed_at, "unreadable": damage, "unequal": unequal}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 0 if everything was readable and every trial was equal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--moments", type=int, default=200)
    parser.add_argument("--victims", default=",".join(VICTIMS), help="which are killed, in turn")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parsed = parser.parse_args(arguments)
    victims = parsed.victims.split(",")
    if unknown := sorted(set(victims) - {*VICTIMS}):
        parser.error(f"there is no victim {unknown[0]!r}: say {', '.join(VICTIMS)}")
    torch.set_num_threads(1)  # no thread may exist yet when the process forks
    draw = random.Random(parsed.seed)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        start_time = time.perf_counter()
        finish(home / "alone", False, parsed.threads)
        a_step = (time.perf_counter() - start_time) / STEPS
        for number in range(parsed.moments):
            row = trial(home, victims[number % len(victims)], draw, a_step, parsed.threads)
            rows.append(row)
            if not parsed.json:
                print(f"{number + 1:3}: {', '.join(f'{key} {value}' for key, value in row.items())}", flush=True)
    same = sum(not row["unequal"] and not row["unreadable"] for row in rows)
    print(json.dumps({"equal": same, "trials": rows}) if parsed.json else f"{same} of {len(rows)} readable and equal")
    return 0 if same == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
