"""The app's end of the pipe to the process that trains (worker.py). No torch here.

The process is started anew when it ends, after a pause that grows while it keeps ending.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from resnet_demo.child_process import ChildProcess, exit_sentence

LONGEST_PAUSE = 30.0
SECONDS_TO_CLOSE = 25.0
# The process may use every processor that the page leaves (it is niced), and networks share the threads out
# (machine.side_by_side): two networks on two processors have one thread each. Where a network has several, these wait for
# each other at every operation, and spin for some tens of microseconds before they sleep (LOG.md); GNU's OpenMP, which
# PyTorch brings on Linux, reads how long. The operator's own environment replaces both.
THREADS = {"OMP_NUM_THREADS": str(os.cpu_count() or 1), "GOMP_SPINCOUNT": "20000"}
Argument = TypeVar("Argument")
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
        self._child: ChildProcess | None = None
        self._closing = threading.Event()
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
        """Give the child a command. If it just died, nobody receives it, and `on_death` follows."""
        child = self._child
        if child is not None and not child.send(command):
            log.warning("The training process is gone; it is started anew.")

    def close(self, *, saves: bool = True) -> None:
        """Ask the child to save and end; it is killed if it does not, at once where it has nothing to save."""
        self._closing.set()
        child = self._child
        if child is not None:
            child.close(SECONDS_TO_CLOSE if saves else 0)
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _serve(self) -> None:
        pause = 0.0
        while not self._closing.wait(pause):
            with ChildProcess("resnet_demo.runs.worker", defaults=THREADS) as child:
                self._child = child
                if self._closing.is_set():  # closed while the child was being started
                    child.ask_to_end()
                was_ready = self._listen(child)
                status = child.wait()
            self.machine = {}
            if not self._closing.is_set():
                self._handle("The end of the training process", self._on_death, exit_sentence(status))
            pause = 0.0 if was_ready else min(pause * 2 + 1, LONGEST_PAUSE)

    def _listen(self, child: ChildProcess) -> bool:
        """Hand on replies until the child ends; whether it ever was ready."""
        was_ready = False
        for reply in child.messages():
            if "ready" in reply:
                was_ready, self.machine = True, reply["ready"]
            elif reply.get("leaving"):  # it takes no more work; its successor will
                self.machine = {}
            self._handle("A reply of the training process", self._on_reply, reply)
        return was_ready

    def _handle(self, what: str, handler: Callable[[Argument], None], argument: Argument) -> None:
        """Call a handler; its exception is logged, because without this thread nothing is ever trained again."""
        try:
            handler(argument)
        except Exception:
            log.exception("%s could not be handled: %.200s", what, argument)
