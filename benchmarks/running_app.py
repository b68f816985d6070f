"""The app as people start it, for the benchmarks that ask it over HTTP."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class RunningApp:
    """Its address and its process id."""

    url: str
    pid: int


@contextmanager
def running_app(home: str) -> Iterator[RunningApp]:
    """Start `python app.py` with its runs in `home`, wait until it answers, and end it afterwards."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
    environment = {**os.environ, "RESNET_DEMO_HOME": home, "HF_HUB_OFFLINE": "1", "GRADIO_TEMP_DIR": f"{home}/uploads"}
    command = [sys.executable, str(ROOT / "app.py"), "--port", str(port)]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}/"
        while not _answers(url):
            if process.poll() is not None:
                raise SystemExit("The app ended before it answered.")
            time.sleep(0.1)
        yield RunningApp(url, process.pid)
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(url, timeout=5).close()
    except OSError:
        return False
    return True
