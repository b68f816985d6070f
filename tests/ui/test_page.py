"""How the page is served."""

from __future__ import annotations

import inspect
from pathlib import Path
from unittest import mock

import pytest
from fastapi import FastAPI
from gradio.queueing import Queue

from resnet_demo.ui import page


@pytest.mark.parametrize(("gradios", "ours"), [(0.001, 0.02), (0.05, 0.05)])  # elsewhere; on Windows
def test_a_queue_with_nothing_in_it_looks_fifty_times_a_second_at_most(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, gradios: float, ours: float
) -> None:
    monkeypatch.setattr(page.engine, "begin", lambda: None)
    served, laboratory = mock.Mock(), mock.Mock()
    served._queue.sleep_when_free = gradios
    laboratory.folder = tmp_path / "runs"
    served.launch.return_value = (FastAPI(), "", "")
    page.serve(served, laboratory, block=False)
    laboratory.start.assert_called_once_with()
    assert served._queue.sleep_when_free == ours
    # The attribute is Gradio's own: if it goes, or gets another meaning, so must this.
    assert "asyncio.sleep(self.sleep_when_free)" in inspect.getsource(Queue.start_processing)
