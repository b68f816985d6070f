"""The app's end of the pipe to the process that trains (worker.py). No torch here.

A new process starts when one ends, after a pause that grows while processes keep ending before they are ready.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Mapping
from typing import TypeVar

from resnet_demo.child_process import ChildProcess, exit_sentence
from resnet_demo.runs.trainer import Command, Reply

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
    """A `Trainer` (trainer.py): one child process at a time, and a thread that listens to it."""

    def __init__(self) -> None:
        self._child: ChildProcess | None = None
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._machine: dict[str, str] = {}

    @property
    def machine(self) -> Mapping[str, str]:
        """`device` and `precision` of the child; empty while there is none that takes commands."""
        return self._machine

    @property
    def pid(self) -> int | None:
        """The child's process id, if there is a child."""
        child = self._child
        return child.pid if child is not None else None

    def start(self, on_reply: Callable[[Reply], None], on_death: Callable[[str], None]) -> None:
        """Start the child; returns at once. The listening thread calls `on_reply` and `on_death`."""
        self._thread = threading.Thread(target=self._serve, args=(on_reply, on_death), name="lab worker", daemon=True)
        self._thread.start()

    def send(self, command: Command) -> None:
        """Give the child a command. If it has just died, nobody receives the command, and `on_death` follows."""
        child = self._child
        if child is not None and not child.send(command):
            log.warning("The training process is gone; a new one starts.")

    def close(self, *, saves: bool = True) -> None:
        """Ask the child to save and end; it is killed if it does not, at once where it has nothing to save."""
        self._closing.set()
        child = self._child
        if child is not None:
            child.close(SECONDS_TO_CLOSE if saves else 0)
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _serve(self, on_reply: Callable[[Reply], None], on_death: Callable[[str], None]) -> None:
        pause = 0.0
        while not self._closing.wait(pause):
            with ChildProcess("resnet_demo.runs.worker", defaults=THREADS) as child:
                self._child = child
                if self._closing.is_set():  # closed while the child was being started
                    child.ask_to_end()
                was_ready = self._listen(child, on_reply)
                status = child.wait()
            self._machine = {}
            if not self._closing.is_set():
                self._handle("The end of the training process", on_death, exit_sentence(status))
            pause = 0.0 if was_ready else min(pause * 2 + 1, LONGEST_PAUSE)

    def _listen(self, child: ChildProcess, on_reply: Callable[[Reply], None]) -> bool:
        """Pass replies on until the child ends; returns whether it was ever ready."""
        was_ready = False
        for reply in child.messages():
            if "ready" in reply:
                was_ready, self._machine = True, reply["ready"]
            elif reply.get("leaving"):  # it takes no more work; its successor will
                self._machine = {}
            self._handle("A reply of the training process", on_reply, reply)
        return was_ready

    def _handle(self, what: str, handler: Callable[[Argument], None], argument: Argument) -> None:
        """Call a handler; its exception is logged, because without this thread nothing is ever trained again."""
        try:
            handler(argument)
        except Exception:
            log.exception("%s could not be handled: %.200s", what, argument)
