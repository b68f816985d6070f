"""The app as a process: how it ends."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from resnet_demo.training.events import RunFailed
from resnet_demo.training.record import Record
from tests.ui.conftest import ROOT, TEACHER, free_port

UNSHARE = ("unshare", "--pid", "--fork", "--kill-child", "--mount-proc")


def can_be_process_1() -> bool:
    return shutil.which("unshare") is not None and subprocess.run([*UNSHARE, "true"], capture_output=True).returncode == 0


def call(url: str, name: str, *arguments: object) -> list[object]:
    """The results of one call of the API."""
    event = httpx.post(f"{url}gradio_api/call/{name}", json={"data": arguments}, timeout=60).json()["event_id"]
    answer = httpx.get(f"{url}gradio_api/call/{name}/{event}", timeout=60).text
    kind, _, data = answer.strip().rpartition("\ndata: ")
    assert kind.endswith("event: complete"), answer
    results: list[object] = json.loads(data)
    return results


def until_it_answers(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 180
    while True:
        try:
            httpx.get(url, timeout=5)
            return
        except httpx.HTTPError:
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.1)


@pytest.mark.skipif(os.name != "posix", reason="SIGTERM")
def test_sigterm_ends_the_app_as_process_1_too_and_what_trains_is_saved(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    own = {"RESNET_DEMO_HOME": str(tmp_path), "RESNET_DEMO_TOKEN": TEACHER, "GRADIO_TEMP_DIR": str(tmp_path / "uploads")}
    before = UNSHARE if can_be_process_1() else ()
    command = [*before, sys.executable, str(ROOT / "app.py"), "--port", str(port)]
    process = subprocess.Popen(command, env={**os.environ, **own}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until_it_answers(url, process)
        (run,) = call(url, "start_run", {"depth": 8, "steps": 50_000, "epochs": 0}, "word", TEACHER)
        deadline = time.monotonic() + 180
        while not any(event["kind"] == "training" for event in call(url, "run", run, 0)[0]["events"]):  # type: ignore[index]
            assert time.monotonic() < deadline, "the run did not begin"
            time.sleep(0.2)
        record = Record(tmp_path / "runs" / str(run))
        assert not record.checkpoint.exists()  # the first one is far away: only the end of the app makes one
        (app,) = psutil.Process(process.pid).children() if before else (psutil.Process(process.pid),)
        app.send_signal(signal.SIGTERM)
        assert process.wait(timeout=120) == 0
        assert record.checkpoint.exists()
        assert not any(isinstance(event, RunFailed) for event in record.events())
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
