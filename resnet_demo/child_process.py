"""A `python -m` child of the app: started, spoken to in lines of JSON, and ended. Downloads and training run in such children.

Parent and child exchange one JSON object a line: commands on the child's standard input, messages on its standard output.
Closing the child's standard input asks it to clean up and end; a child that does not is killed.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

PACKAGE_ROOT = Path(__file__).parents[1]


class ChildProcess:
    """One running child; a context manager that closes it.

    Args:
        module: run as `python -m module`; it finds this package wherever the app was started from.
        arguments: its command line.
        defaults: environment variables that the operator's own replace.
        keep_stderr: keep what the child writes to standard error, for `last_words`, instead of showing it.

    The methods may be called from any thread; messages are read by one.
    """

    def __init__(
        self, module: str, *arguments: str, defaults: Mapping[str, str] | None = None, keep_stderr: bool = False
    ) -> None:
        self._complaints = tempfile.TemporaryFile() if keep_stderr else None  # noqa: SIM115  closed in `close`
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], env=child_environment(defaults or {}),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._complaints,
        )  # fmt: skip
        self._lock = threading.Lock()
        self._messages: queue.Queue[dict[str, Any] | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, name=f"messages of {module}", daemon=True)
        self._reader.start()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return self._process.pid

    def send(self, command: Mapping[str, Any]) -> bool:
        """Give the child a command; whether it could still be given."""
        assert self._process.stdin is not None
        with self._lock:
            if self._process.stdin.closed:
                return False
            try:
                self._process.stdin.write(json.dumps(command).encode() + b"\n")
                self._process.stdin.flush()
            except BrokenPipeError:
                return False
        return True

    def receive(self, timeout: float | None = None) -> dict[str, Any] | None:
        """The next message; None once the child has ended and every message was received.

        Args:
            timeout: seconds to wait; None waits until there is a message or the child ends.

        Raises:
            TimeoutError: there was no message in time.
        """
        try:
            message = self._messages.get(timeout=timeout)
        except queue.Empty as error:
            raise TimeoutError from error
        if message is None:
            self._messages.put(None)  # the end stays the end
        return message

    def messages(self) -> Iterator[dict[str, Any]]:
        """Every message until the child ends."""
        while (message := self.receive()) is not None:
            yield message

    def wait(self) -> int:
        """Wait until the child has ended; its exit status, or minus the number of the signal that ended it."""
        return self._process.wait()

    def last_words(self) -> str:
        """The last line that the child wrote to standard error (`keep_stderr`)."""
        if self._complaints is None:
            return ""
        self._complaints.seek(0)
        return self._complaints.read().decode(errors="replace").strip().rpartition("\n")[2]

    def ask_to_end(self) -> None:
        """Close the child's standard input; returns at once."""
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.close()

    def close(self, seconds: float = 3.0) -> None:
        """Ask the child to end, and kill it if it has not after so many seconds."""
        self.ask_to_end()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        if self._complaints is not None:
            self._complaints.close()

    def __enter__(self) -> ChildProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._messages.put(json.loads(line))
        self._messages.put(None)


def child_environment(defaults: Mapping[str, str]) -> dict[str, str]:
    """The environment of a child: ours over `defaults`, with a path on which it finds this package."""
    paths = (str(PACKAGE_ROOT), os.environ.get("PYTHONPATH", ""))
    return {**defaults, **os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def exit_sentence(status: int) -> str:
    """How a child ended, as a part of a sentence: 'exit status 3', 'killed by SIGKILL, …'."""
    if status >= 0:
        return f"exit status {status}"
    name = signal.Signals(-status).name
    return f"killed by {name}" + (", perhaps because the memory was full" if name == "SIGKILL" else "")
