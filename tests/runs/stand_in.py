"""A service without a process: what the trainer is sent, and what it replies, is up to the test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from resnet_demo.runs.service import RunService
from resnet_demo.runs.trainer import Command, Reply

MACHINE = {"device": "a test", "precision": "fp32"}


class StandIn:
    """A `Trainer` that keeps the commands it is sent."""

    def __init__(self) -> None:
        self.machine: dict[str, str] = {}
        self.commands: list[Any] = []
        self.on_reply: Callable[[Reply], None] = lambda _: None
        self.on_death: Callable[[str], None] = lambda _: None

    def start(self, on_reply: Callable[[Reply], None], on_death: Callable[[str], None]) -> None:
        self.on_reply, self.on_death = on_reply, on_death

    def send(self, command: Command) -> None:
        self.commands.append(command)

    def close(self, *, saves: bool) -> None:
        self.commands.append({"do": "close", "saves": saves})

    def ready(self) -> None:
        self.machine = MACHINE
        self.on_reply({"ready": MACHINE})

    def trains(self) -> list[str]:
        """The ids of the runs it was sent to train, in order."""
        return [Path(command["folder"]).name for command in self.commands if command["do"] == "train"]


class ReadyStandIn(StandIn):
    """Ready as soon as it is started, as an app expects."""

    def start(self, on_reply: Callable[[Reply], None], on_death: Callable[[str], None]) -> None:
        super().start(on_reply, on_death)
        self.ready()


class Opened:
    """A service with a stand-in trainer, started but not ready, and the means to play it."""

    def __init__(self, home: Path) -> None:
        self.worker = StandIn()
        self.lab = RunService(home, self.worker, token="teacher")
        self.lab.start()

    def done(self, run_id: str, failed: str | None = None) -> None:
        self.worker.on_reply({"done": str(self.lab.folder / run_id), "failed": failed})
