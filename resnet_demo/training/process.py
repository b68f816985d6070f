"""The app's end of the pipe to the process that trains (worker.py). No torch here.

The process is started anew when it ends, after a pause that grows while it keeps ending.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

LONGEST_PAUSE = 30.0
SECONDS_TO_CLOSE = 25.0
SPIN = "20000"  # some tens of microseconds; LOG.md has what it gains
log = logging.getLogger(__name__)


class WorkerProcess:
    """One child process at a time, and a thread that listens to it.

    Args:
        on_reply: called with each reply, from the listening thread.
        on_death: called with how it ended ("killed by SIGKILL, …"), when it ended without being closed.
    """

    def __init__(self, on_reply: Callable[[dict[str, Any]], None], on_death: Callable[[str], None]) -> None:
        self._on_reply = on_reply
        self._on_death = on_death
        self._child: subprocess.Popen[bytes] | None = None
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._serve, name="lab worker", daemon=True)
        self.machine: dict[str, str] = {}

    @property
    def pid(self) -> int | None:
        """The child's process id, if there is a child."""
        child = self._child
        return child.pid if child is not None else None

    def start(self) -> None:
        """Start the child; returns at once."""
        self._thread.start()

    def send(self, command: dict[str, Any]) -> None:
        """Give the child a command. If it just died, nothing hears it, and `on_death` follows."""
        with self._lock:
            child = self._child
            if child is None or child.stdin is None or child.stdin.closed:
                return
            try:
                child.stdin.write(json.dumps(command).encode() + b"\n")
                child.stdin.flush()
            except BrokenPipeError:
                log.warning("The training process is gone; it is started anew.")

    def close(self, *, saves: bool = True) -> None:
        """Close the pipe, which asks the child to save and end; it is killed if it does not, at once where it has nothing to save."""
        self._closing.set()
        child = self._child
        if child is not None:
            with self._lock:
                if child.stdin is not None:
                    child.stdin.close()
            try:
                child.wait(SECONDS_TO_CLOSE if saves else 0)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _serve(self) -> None:
        pause = 0.0
        while not self._closing.wait(pause):
            command = [sys.executable, "-m", "resnet_demo.training.worker"]
            child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_environment())
            self._child = child
            if self._closing.is_set() and child.stdin is not None:  # closed while it was being started
                child.stdin.close()
            was_ready = self._listen(child)
            code = child.wait()
            self.machine = {}
            with self._lock:
                if child.stdin is not None:
                    child.stdin.close()
            if not self._closing.is_set():
                try:
                    self._on_death(_how(code))
                except Exception:  # as above: without this thread nothing is ever trained again
                    log.exception("The end of the training process could not be handled.")
            pause = 0.0 if was_ready else min(pause * 2 + 1, LONGEST_PAUSE)

    def _listen(self, child: subprocess.Popen[bytes]) -> bool:
        """Hand on replies until the child ends; gives whether it ever was ready."""
        assert child.stdout is not None
        was_ready = False
        with child.stdout:
            for line in child.stdout:
                reply = json.loads(line)
                if "ready" in reply:
                    was_ready, self.machine = True, reply["ready"]
                elif reply.get("leaving"):  # it takes no more work; its successor will
                    self.machine = {}
                try:
                    self._on_reply(reply)
                except Exception:  # the thread must live on; the fault is told, and the next reply is heard
                    log.exception("A reply of the training process could not be handled: %s", line[:200])
        return was_ready


def _how(code: int) -> str:
    if code >= 0:
        return f"exit status {code}"
    name = signal.Signals(-code).name
    return f"killed by {name}" + (", perhaps because the memory was full" if name == "SIGKILL" else "")


def _environment() -> dict[str, str]:
    """The child finds this package wherever the app was started from, and may use every processor the page leaves.

    The page goes first (worker.NICENESS), and networks share the threads out (machine.side_by_side): on two processors each
    of two has one. Where one has several, these wait for each other at every operation, and spin briefly before they
    sleep; GNU's OpenMP, which PyTorch brings on Linux, reads how long. What the operator sets goes before both.
    """
    paths = [str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    return {
        "OMP_NUM_THREADS": str(os.cpu_count() or 1),
        "GOMP_SPINCOUNT": SPIN,
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }
