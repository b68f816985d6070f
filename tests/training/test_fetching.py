"""The wait for data from the Hub is told, and ends when the run is asked to end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from resnet_demo.config import DataConfig
from resnet_demo.data import dataset
from resnet_demo.hub import DownloadCancelled
from resnet_demo.training import fetching, session
from resnet_demo.training.events import Fetching, RunPaused, RunStopped
from resnet_demo.training.record import Record
from tests.tiny import tiny_arm, tiny_run


def slow_hub(config: DataConfig, should_cancel: Callable[[], bool]) -> Iterator[tuple[int, int]]:
    """In place of dataset.arriving: a file that never ends."""
    for done in range(0, 10**9, 10**6):
        if should_cancel():
            raise DownloadCancelled("The download was cancelled.")
        yield done, 10**9
    raise AssertionError("nobody gave up")


@pytest.mark.parametrize(("asked", "ending"), [("stop", RunStopped), ("pause", RunPaused), ("leave", None)])
def test_a_run_that_still_fetches_is_told_so_and_can_be_ended(
    asked: session.Request, ending: type | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "arriving", slow_hub)
    monkeypatch.setattr(fetching, "SECONDS", 0.0)
    arms = (tiny_arm("plain8", residual=False, classes=10),)
    config = tiny_run(tmp_path, arms=arms, data={"source": "cifar10"})
    questions = iter(["go on"] * 3 + [asked] * 10)
    events = list(session.run(config, tmp_path / "run", request=lambda: next(questions)))
    told = [event for event in events if isinstance(event, Fetching)]
    assert [(event.what, event.done, event.total) for event in told] == [("CIFAR-10", done * 10**6, 10**9) for done in range(3)]
    assert [type(event) for event in events[3:]] == ([ending] if ending else [])
    assert Record(tmp_path / "run").events() == events


def test_data_that_are_there_are_waited_for_by_no_one(tmp_path: Path) -> None:
    waiting = fetching.fetched(DataConfig(), lambda: "go on")
    with pytest.raises(StopIteration) as ended:
        next(waiting)
    assert ended.value.value is True
