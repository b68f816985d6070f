"""One app at a time keeps the queue of a home."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_demo.errors import RunError
from resnet_demo.training import waiting
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
