"""One app at a time keeps the queue of a home."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_demo.errors import RunError
from resnet_demo.training import process, waiting
from resnet_demo.training.waiting import sole_app


def test_a_second_app_on_the_same_home_is_refused_until_the_first_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "SECONDS_TO_END", 0.0)
    home = tmp_path / "home"
    with sole_app(home):
        with pytest.raises(RunError, match="Another ResNet Lab already keeps its runs in"), sole_app(home):
            pass
        with sole_app(tmp_path / "another"):
            pass
    with sole_app(home):
        pass


def test_an_app_that_closes_is_waited_for_as_long_as_it_may_take() -> None:
    assert waiting.SECONDS_TO_END > process.SECONDS_TO_CLOSE


def test_a_home_that_cannot_be_written_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    refused = pytest.raises(RunError, match=r"Nothing can be kept in .*: name a folder that can be written")
    with refused, sole_app(tmp_path / "file" / "home"):
        pass
