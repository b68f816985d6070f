"""The wait for data from the Hub is told, and ends when the run is asked to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from resnet_demo.config import DataConfig, RunConfig
from resnet_demo.data import dataset
from resnet_demo.errors import HubError
from resnet_demo.hub.fetch import DownloadCancelled
from resnet_demo.training import distributed, fetching, session
from resnet_demo.training.events import Fetching, Measured, RunFailed, RunPaused, RunStarted, RunStopped
from resnet_demo.training.record import Record
from tests.tiny import tiny_arm, tiny_run


def slow_hub(config: DataConfig, should_cancel: Callable[[], bool]) -> Iterator[tuple[int, int]]:
    """In place of dataset.download: a file that never ends."""
    for done in range(0, 10**9, 10**6):
        if should_cancel():
            raise DownloadCancelled("The download was cancelled.")
        yield done, 10**9
    raise AssertionError("nobody gave up")


@pytest.mark.parametrize(("asked", "ending"), [("stop", RunStopped), ("pause", RunPaused), ("leave", None)])
def test_a_run_that_still_fetches_is_told_so_and_can_be_ended(
    asked: session.Request, ending: type | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "download", slow_hub)
    monkeypatch.setattr(fetching, "SECONDS", 0.0)
    arms = (tiny_arm("plain8", residual=False, classes=10),)
    config = tiny_run(tmp_path, arms=arms, data={"source": "cifar10"})
    questions = iter(["go on"] * 3 + [asked] * 10)
    events = list(session.run(config, tmp_path / "run", request=lambda: next(questions)))
    told = [event for event in events if isinstance(event, Fetching)]
    assert [(event.what, event.done, event.total) for event in told] == [("CIFAR-10", done * 10**6, 10**9) for done in range(3)]
    assert [type(event) for event in events[3:]] == ([ending] if ending else [])
    assert Record(tmp_path / "run").events() == events


@pytest.fixture
def paused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunConfig:
    """A run in tmp_path / "run" that learnt four steps from the pictures that ship and was paused; fetching tells all."""
    arms = (tiny_arm("residual8", classes=10),)
    config = tiny_run(tmp_path, arms=arms, data={"source": "bundled", "test_limit": 20})
    asked = iter(["go on"] * 3 + ["pause"] * 9)
    events = list(session.run(config, tmp_path / "run", request=lambda: next(asked)))  # type: ignore[arg-type]
    assert isinstance(events[-1], RunPaused)
    monkeypatch.setattr(fetching, "SECONDS", 0.0)
    return config


def few(config: DataConfig, should_cancel: Callable[[], bool]) -> Iterator[tuple[int, int]]:
    for done in range(3):
        if should_cancel():
            raise DownloadCancelled("The download was cancelled.")
        yield done, 3


def test_pausing_a_continued_run_while_it_fetches_keeps_its_step(
    paused: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "download", slow_hub)
    step = Record(tmp_path / "run").events()[-1].step
    asked = iter(["go on", *["pause"] * 9])
    events = list(session.run(paused, tmp_path / "run", resume=True, request=lambda: next(asked)))  # type: ignore[arg-type]
    assert step > 0
    assert [(type(event), event.step) for event in events] == [(Fetching, step), (RunPaused, step)]


def test_stopping_a_continued_run_while_it_fetches_writes_down_what_was_learnt(
    paused: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "download", few)
    step = Record(tmp_path / "run").events()[-1].step
    events = list(session.run(paused, tmp_path / "run", resume=True, request=lambda: "stop"))
    assert [type(event) for event in events] == [Fetching, Fetching, Fetching, RunStarted, Measured, RunStopped]
    assert {event.step for event in events} == {step}
    assert (tmp_path / "run" / "arms" / "residual8" / "model.safetensors").exists()


def test_a_continued_run_whose_data_cannot_be_had_keeps_its_step(
    paused: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def offline(*_: object) -> Iterator[tuple[int, int]]:
        raise HubError("There is no network.")

    monkeypatch.setattr(dataset, "download", offline)
    step = Record(tmp_path / "run").events()[-1].step
    events = list(session.run(paused, tmp_path / "run", resume=True))
    assert events == [RunFailed(step=step, reason="There is no network.")]


@pytest.mark.parametrize("becomes", ["local", "missing"])
def test_the_first_of_several_processes_fetches_and_the_others_take_its_word(
    becomes: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []

    def broadcast(word: str) -> str:
        said.append(word)
        return becomes

    def gone(*_: object) -> Iterator[tuple[int, int]]:
        raise HubError("There is no network.")

    monkeypatch.setattr(distributed, "broadcast", broadcast)
    monkeypatch.setattr(dataset, "download", few if becomes == "local" else gone)
    first = fetching.fetch_data(DataConfig(source="cifar10"), lambda: "go on", rank=0)
    if becomes == "local":
        assert len(list(first)) == 1
    else:
        with pytest.raises(HubError):
            list(first)
    assert said == [becomes]
    monkeypatch.setattr(dataset, "download", gone)
    waiting = fetching.fetch_data(DataConfig(source="cifar10"), lambda: "go on", rank=1)
    with pytest.raises(StopIteration) as ended:
        next(waiting)
    assert ended.value.value is (becomes == "local")


def test_data_that_are_there_are_waited_for_by_no_one(tmp_path: Path) -> None:
    waiting = fetching.fetch_data(DataConfig(), lambda: "go on")
    with pytest.raises(StopIteration) as ended:
        next(waiting)
    assert ended.value.value is True
