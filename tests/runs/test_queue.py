"""One app at a time keeps the queue of a home."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_demo.errors import RunError
from resnet_demo.runs import queue, worker_process
from resnet_demo.runs.queue import single_app_lock


def test_a_second_app_on_the_same_home_is_refused_until_the_first_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "SECONDS_TO_END", 0.0)
    home = tmp_path / "home"
    with single_app_lock(home):
        with pytest.raises(RunError, match="Another ResNet Lab already keeps its runs in"), single_app_lock(home):
            pass
        with single_app_lock(tmp_path / "another"):
            pass
    with single_app_lock(home):
        pass


def test_an_app_that_closes_is_waited_for_as_long_as_it_may_take() -> None:
    assert queue.SECONDS_TO_END > worker_process.SECONDS_TO_CLOSE


def test_a_home_that_cannot_be_written_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused = pytest.raises(RunError, match=r"Nothing can be kept in .*: name a folder that can be written")
    with refused, single_app_lock(tmp_path / "file" / "home"):
        pass
