"""An app as people start it, for the benchmarks that ask it over HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gradio_client import Client

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class RunningApp:
    """Its address, its process id, its folder, and the seconds from its start to the first page it answered with."""

    url: str
    pid: int
    home: Path
    seconds: float


@contextmanager
def running_app(home: str, command: Sequence[str] = (str(ROOT / "app.py"), "--port", "{port}")) -> Iterator[RunningApp]:
    """Start `python COMMAND` on a free port with its runs in `home`, wait until `/` answers, and end it afterwards."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    own = {"RESNET_DEMO_HOME": home, "RESNET_DEMO_MINUTES": "0", "GRADIO_TEMP_DIR": f"{home}/uploads"}
    environment = {**os.environ, **own, "HF_HUB_OFFLINE": "1", "GRADIO_ANALYTICS_ENABLED": "False"}
    url, start_time = f"http://127.0.0.1:{port}/", time.perf_counter()
    words = [sys.executable, *(word.replace("{port}", str(port)) for word in command)]
    process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL)
    try:
        while not _answers(url):
            if process.poll() is not None:
                raise SystemExit(f"{words[-1]} ended before it answered.")
            time.sleep(0.01)
        yield RunningApp(url, process.pid, Path(home), time.perf_counter() - start_time)
    finally:
        process.terminate()
        process.wait()


def wait_for(client: Client, run: str, target: str) -> None:
    """Wait until the run has reported its first training points and has the status `target`."""
    while True:
        answer = client.predict(run, 0, api_name="/run")
        trains = any(event["kind"] == "training" for event in answer["events"])
        if answer["state"]["status"] == target and (trains or target != "running"):
            return
        if answer["state"]["status"] == "failed":
            raise SystemExit(f"The run failed: {answer['state']}")
        time.sleep(0.2)


def p95(times: Sequence[float]) -> float:
    """The 95th percentile."""
    return percentile(times, 0.95)


def percentile(times: Sequence[float], share: float) -> float:
    """The time that this share of all times, 0 to 1, does not exceed."""
    return sorted(times)[min(int(share * len(times)), len(times) - 1)]


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=10).close()
    except OSError:
        return False
    return True
