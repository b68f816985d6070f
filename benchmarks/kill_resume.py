"""Kill a training run with SIGKILL at random moments, continue it, and compare with the run that was left alone.

    python benchmarks/kill_resume.py [--moments 50] [--seed 0] [--threads 2] [--json]

Each trial begins the same small comparison anew (plain-8 and residual-8, augmented batches, checkpoints every 7
steps), kills its process at a random step and a random time within that step, and resumes it. Equal means: the
weights, the state of the optimizer and of the streams of batches, the written models byte for byte, and every
point, measurement and diagnosis of the record. Needs fork (Linux, macOS).
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))

from resnet_demo.config import ArmConfig, DataConfig, ModelConfig, RunConfig
from resnet_demo.training import session
from resnet_demo.training.events import CheckpointSaved, Progress, RunFinished, RunStarted
from resnet_demo.training.record import Record

STEPS = 60
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
    """Begin the run, kill it `extra` seconds after it has told of `step`.

    Returns:
        The last step it had told of; None if it was over before.
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


def differences(ours: Record, theirs: Record) -> list[str]:
    """What is not equal, to the last bit."""
    found = []
    here, there = (torch.load(record.checkpoint, weights_only=True) for record in (ours, theirs))
    found += [part for part in ("step", "precision", "arms", "streams") if not equal(here[part], there[part])]
    for arm in CONFIG.arms:
        file = Path("arms") / arm.name / "model.safetensors"
        if (ours.folder / file).read_bytes() != (theirs.folder / file).read_bytes():
            found.append(str(file))
    told = [
        [event for event in record.events() if not isinstance(event, (RunStarted, RunFinished, Progress, CheckpointSaved))]
        for record in (ours, theirs)
    ]
    return found + (["record"] if told[0] != told[1] else [])


def equal(first: object, second: object) -> bool:
    """Equal to the last bit, tensors included."""
    if isinstance(first, torch.Tensor) and isinstance(second, torch.Tensor):
        return first.dtype == second.dtype and torch.equal(first, second)
    if isinstance(first, dict) and isinstance(second, dict):
        return first.keys() == second.keys() and all(equal(first[key], second[key]) for key in first)
    if isinstance(first, (list, tuple)) and isinstance(second, (list, tuple)):
        return len(first) == len(second) and all(equal(*pair) for pair in zip(first, second, strict=True))
    return first == second


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 0 if every trial was equal."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--moments", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    parsed = parser.parse_args(arguments)
    torch.set_num_threads(1)  # no thread may exist yet when the process forks
    draw = random.Random(parsed.seed)
    rows = []
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        begun = time.perf_counter()
        finish(home / "alone", False, parsed.threads)
        a_step = (time.perf_counter() - begun) / STEPS
        for trial in range(parsed.moments):
            folder = home / str(trial)
            while (killed_at := kill(folder, draw.randrange(STEPS - 3), draw.uniform(0, 2 * a_step), parsed.threads)) is None:
                shutil.rmtree(folder)  # on a busy machine it may end first, and nothing was tried
            finish(folder, True, parsed.threads)
            resumed_at = [event.step for event in Record(folder).events() if isinstance(event, RunStarted)][-1]
            unequal = differences(Record(folder), Record(home / "alone"))
            rows.append({"killed_at": killed_at, "resumed_at": resumed_at, "unequal": unequal})
            if not parsed.json:
                print(
                    f"{trial + 1:3}: killed at step {killed_at:2}, resumed at {resumed_at:2}: {', '.join(unequal) or 'equal'}"
                )
    same = sum(not row["unequal"] for row in rows)
    print(json.dumps({"equal": same, "trials": rows}) if parsed.json else f"{same} of {len(rows)} equal")
    return 0 if same == len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
