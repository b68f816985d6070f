"""The thread that keeps a training process alive outlives what goes wrong in those it tells."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from resnet_demo import child_process
from resnet_demo.runs.worker_process import WorkerProcess


def test_another_process_is_started_although_the_death_of_one_could_not_be_handled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "ends"
    program.write_text("#!/bin/sh\nexit 3\n")
    program.chmod(0o700)
    monkeypatch.setattr(child_process.sys, "executable", str(program))
    deaths: list[str] = []
    twice = threading.Event()

    def died(how: str) -> None:
        deaths.append(how)
        if len(deaths) == 2:
            twice.set()
        raise OSError(28, "No space left on device")

    worker = WorkerProcess()
    worker.start(on_reply=lambda _: None, on_death=died)
    try:
        assert twice.wait(30)
    finally:
        worker.close()
    assert deaths[:2] == ["exit status 3"] * 2
