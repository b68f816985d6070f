"""What the tests of the runs share: one thread for networks as small as theirs, and a service with a stand-in trainer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.runs.stand_in import Opened
from tests.training.conftest import one_thread

__all__ = ["one_thread", "opened"]


@pytest.fixture
def opened(tmp_path: Path) -> Opened:
    return Opened(tmp_path)
