"""Two processes under torchrun train one run: they agree, and the first keeps the record."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from resnet_demo.errors import RunError
from resnet_demo.training import distributed, session
from resnet_demo.training.events import Measured, RunFinished, RunStarted, TrainingPoint
from resnet_demo.training.record import Record
from tests.tiny import ENVIRONMENT, tiny_run

SCRIPT = """
import hashlib, json, sys
from pathlib import Path
import torch
from torch import distributed as dist
from resnet_demo.config import RunConfig, parse
from resnet_demo.training import distributed, session

torch.set_num_threads(1)
kept = []
def parallel(model, wrap=distributed.parallel):
    kept.append(model)
    return wrap(model)
distributed.parallel = parallel
config, folder = parse(RunConfig, sys.argv[1]), Path(sys.argv[2])
rank = int(__import__("os").environ["RANK"])
for _ in session.run(config, folder):
    pass
weights = b"".join(value.detach().numpy().tobytes() for model in kept for _, value in model.named_parameters())
(folder.parent / f"rank{rank}").write_text(hashlib.sha256(weights).hexdigest())
"""


def test_on_one_process_every_function_does_nothing() -> None:
    model = torch.nn.Linear(2, 2)
    assert distributed.world() == 1
    assert distributed.parallel(model) is model
    assert torch.equal(distributed.average(torch.tensor([1.0, 2.0])), torch.tensor([1.0, 2.0]))
    assert distributed.agreed("stop") == "stop"
    with distributed.processes(torch.device("cpu")) as part:
        assert part == (0, 1)


@pytest.fixture
def two_accelerators(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A machine with two of them, as one process of several sees it; what it does, in order."""
    done: list[str] = []
    monkeypatch.setenv("WORLD_SIZE", "4")
    monkeypatch.setattr(torch.accelerator, "device_count", lambda: 2)
    monkeypatch.setattr(torch.accelerator, "set_device_index", lambda index: done.append(f"take {index}"))
    monkeypatch.setattr(torch.distributed, "init_process_group", lambda backend: done.append(f"join by {backend}"))
    monkeypatch.setattr(torch.distributed, "get_rank", lambda: 3)
    monkeypatch.setattr(torch.distributed, "get_world_size", lambda: 4)
    monkeypatch.setattr(torch.distributed, "destroy_process_group", lambda: done.append("leave"))
    return done


def test_each_process_of_a_machine_takes_its_own_accelerator_before_it_joins(
    two_accelerators: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOCAL_RANK", "1")
    with distributed.processes(torch.device("cuda")) as part:
        assert part == (3, 4)
    assert two_accelerators == ["take 1", "join by nccl", "leave"]


def test_more_processes_than_accelerators_are_refused(two_accelerators: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(RunError, match="finds only 2 accelerators"), distributed.processes(torch.device("cuda")):
        pass
    assert two_accelerators == []


def test_two_processes_agree_and_learn_about_what_one_learns(picture_folder: Path, tmp_path: Path) -> None:
    config = tiny_run(picture_folder, steps=6, optimizer={"learning_rate": 0.01})
    script = tmp_path / "train.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += [str(script), config.model_dump_json(), str(tmp_path / "two")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "rank0").read_text() == (tmp_path / "rank1").read_text()
    events = Record(tmp_path / "two").events()
    assert isinstance(events[0], RunStarted)
    assert events[0].processes == 2
    assert isinstance(events[-1], RunFinished)
    assert sum(isinstance(event, RunStarted) for event in events) == 1
    alone = list(session.run(config, tmp_path / "one"))
    # the same batches, each half of them normalized by its own statistics: near, not equal
    for kind in (TrainingPoint, Measured):
        ours, theirs = ([event.loss for event in run if isinstance(event, kind)] for run in (events, alone))
        assert len(ours) == len(theirs)
        assert ours == pytest.approx(theirs, rel=0.35)
    assert json.loads((tmp_path / "two" / "config.json").read_text())["steps"] == 6
