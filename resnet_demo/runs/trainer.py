"""What the service needs of whatever trains: the `Trainer` protocol, its commands and its replies. No torch here.

`WorkerProcess` (worker_process.py) trains in a child process of the app; the tests have a stand-in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol, TypedDict


class Train(TypedDict):
    """Train the run in `folder` to its end, from its checkpoint if it has one and `resume` is true."""

    do: Literal["train"]
    folder: str
    resume: bool


class Request(TypedDict):
    """Pause or stop the run in `folder` at its next step; ignored if that run does not train."""

    do: Literal["pause", "stop"]
    folder: str


class Measure(TypedDict):
    """Time a few steps of each network of `config` (a RunConfig as JSON values); given up as soon as there is a run to train."""

    do: Literal["measure"]
    config: dict[str, Any]


Command = Train | Request | Measure
Reply = Mapping[str, Any]
"""One of three, by its keys:

    ready                 the trainer takes commands; the value describes the machine, as `Trainer.machine`
    done, failed          the run in the folder `done` trains no longer; `failed` is the reason, or None
    measured, failed      seconds of the networks that were timed, and the networks that could not be (worker.py)
"""


class Trainer(Protocol):
    """Trains one run at a time, and writes its record; the record says what happened, the replies only when to look."""

    @property
    def machine(self) -> Mapping[str, str]:
        """`device` and `precision`; empty while the trainer takes no commands, as before its `ready` reply."""

    def start(self, on_reply: Callable[[Reply], None], on_death: Callable[[str], None]) -> None:
        """Start to take commands; returns at once.

        Args:
            on_reply: called with each reply, from one thread of the trainer's or from the caller of a method.
            on_death: called with how the trainer ended ("killed by SIGKILL, …") when that was not asked of it. The run that it
                trained has no `done` reply then. It starts again by itself and becomes `ready` once more.
        """

    def send(self, command: Command) -> None:
        """Give it a command; returns at once. If it has just died, nobody receives the command, and `on_death` follows."""

    def close(self, *, saves: bool) -> None:
        """End it, and wait for that; with `saves`, the run that trains first saves a checkpoint."""
