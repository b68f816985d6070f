"""Two processes under torchrun train one run: they agree, and the first keeps the record."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from resnet_demo.config import RunConfig
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
from resnet_demo.config import RunConfig
from resnet_demo.parsing import parse
from resnet_demo.training import distributed, session

torch.set_num_threads(1)
kept = []
def parallel(model, wrap=distributed.parallel):
    kept.append(model)
    return wrap(model)
distributed.parallel = parallel
config, folder, leave_at = parse(RunConfig, sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
rank = int(__import__("os").environ["RANK"])
steps = 0
def request():
    global steps
    steps += 1
    return "leave" if steps == leave_at else "go on"
for _ in session.run(config, folder, resume=(folder / "checkpoint.pt").exists(), request=request):
    pass
weights = b"".join(value.detach().numpy().tobytes() for model in kept for _, value in model.named_parameters())
(folder.parent / f"rank{rank}").write_text(hashlib.sha256(weights).hexdigest())
"""


def test_on_one_process_every_function_does_nothing() -> None:
    model = torch.nn.Linear(2, 2)
    assert distributed.world_size() == 1
    assert distributed.parallel(model) is model
    assert torch.equal(distributed.all_reduce_mean(torch.tensor([1.0, 2.0])), torch.tensor([1.0, 2.0]))
    assert distributed.broadcast("stop") == "stop"
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


def train_on_two(config: RunConfig, folder: Path, leave_at: int = 0) -> list[str]:
    """Train under torchrun; gives the hash of each process's weights."""
    script = folder.parent / "train.py"
    script.write_text(SCRIPT)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command += [str(script), config.model_dump_json(), str(folder), str(leave_at)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr[-3000:]
    return [(folder.parent / f"rank{rank}").read_text() for rank in (0, 1)]


@dataclass(frozen=True)
class Trained:
    """A run of two processes, and the hash of the weights of each."""

    config: RunConfig
    folder: Path
    weights: list[str]


@pytest.fixture(scope="module")
def two(picture_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Trained:
    config, folder = (
        tiny_run(picture_folder, steps=6, optimizer={"learning_rate": 0.01}),
        tmp_path_factory.mktemp("two") / "run",
    )
    return Trained(config, folder, train_on_two(config, folder))


def test_two_processes_agree_and_learn_about_what_one_learns(two: Trained, tmp_path: Path) -> None:
    assert two.weights[0] == two.weights[1]
    events = Record(two.folder).events()
    assert isinstance(events[0], RunStarted)
    assert events[0].processes == 2
    assert isinstance(events[-1], RunFinished)
    assert sum(isinstance(event, RunStarted) for event in events) == 1
    alone = list(session.run(two.config, tmp_path / "one"))
    # the same batches, each half of them normalized by its own statistics: near, not equal
    for kind in (TrainingPoint, Measured):
        ours, theirs = ([event.loss for event in run if isinstance(event, kind)] for run in (events, alone))
        assert len(ours) == len(theirs)
        assert ours == pytest.approx(theirs, rel=0.35)
    assert json.loads((two.folder / "config.json").read_text())["steps"] == 6


def test_two_processes_that_were_interrupted_go_on_to_the_same_weights(two: Trained, tmp_path: Path) -> None:
    folder = tmp_path / "broken"
    halfway = train_on_two(two.config, folder, leave_at=3)
    assert not any(isinstance(event, RunFinished) for event in Record(folder).events())
    assert halfway != two.weights
    assert train_on_two(two.config, folder) == two.weights
    assert {event.step for event in Record(folder).events() if isinstance(event, TrainingPoint)} == {1, 2, 3, 4, 5, 6}
