"""A `python -m` child process that exchanges lines of JSON with the app. Downloads and training run in such processes.

Parent and child exchange one JSON object a line: commands on the child's standard input, messages on its standard output.
Closing the child's standard input tells it to clean up and exit; a child that does not exit is killed.
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
    """A child process; a context manager that closes it.

    Args:
        module: run as `python -m module`; it can import this package whatever the current directory is.
        arguments: the command-line arguments.
        defaults: environment variables for the child; those of this process take precedence.
        keep_stderr: store the child's standard error for `last_error_line` instead of showing it.

    The methods are thread-safe, except that only one thread may receive messages.
    """

    def __init__(
        self, module: str, *arguments: str, defaults: Mapping[str, str] | None = None, keep_stderr: bool = False
    ) -> None:
        self._stderr = tempfile.TemporaryFile() if keep_stderr else None  # noqa: SIM115  closed in `close`
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments], env=child_environment(defaults or {}),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._stderr,
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
        """Send the child a command; returns False if the child no longer reads."""
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
        """Wait for the next message; None after the last one, once the child has exited.

        Args:
            timeout: seconds to wait; None waits until a message arrives or the child exits.

        Raises:
            TimeoutError: no message arrived in time.
        """
        try:
            message = self._messages.get(timeout=timeout)
        except queue.Empty as error:
            raise TimeoutError from error
        if message is None:
            self._messages.put(None)  # later calls return None too
        return message

    def messages(self) -> Iterator[dict[str, Any]]:
        """Yield every message until the child exits."""
        while (message := self.receive()) is not None:
            yield message

    def wait(self) -> int:
        """Wait until the child exits; returns its exit status, or minus the number of the signal that killed it."""
        return self._process.wait()

    def last_error_line(self) -> str:
        """The last line of the child's standard error; empty without `keep_stderr`."""
        if self._stderr is None:
            return ""
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace").strip().rpartition("\n")[2]

    def ask_to_end(self) -> None:
        """Close the child's standard input; returns at once."""
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.close()

    def close(self, seconds: float = 3.0) -> None:
        """Ask the child to exit, and kill it if it has not exited after so many seconds."""
        self.ask_to_end()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join()
        if self._stderr is not None:
            self._stderr.close()

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
    """The environment of a child: this process's, on top of `defaults`, with this package on PYTHONPATH."""
    paths = (str(PACKAGE_ROOT), os.environ.get("PYTHONPATH", ""))
    return {**defaults, **os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


def exit_sentence(status: int) -> str:
    """How a child exited, as part of a sentence: 'exit status 3', 'killed by SIGKILL, …'."""
    if status >= 0:
        return f"exit status {status}"
    name = signal.Signals(-status).name
    return f"killed by {name}" + (", perhaps because the memory was full" if name == "SIGKILL" else "")
