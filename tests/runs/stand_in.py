"""A lab without a process: what the process that trains is told, and what it answers, is up to the test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from resnet_demo.runs.service import RunService

MACHINE = {"device": "a test", "precision": "fp32"}


class StandIn:
    """In place of WorkerProcess: keeps what it is told."""

    def __init__(self, on_reply: Callable[[dict[str, Any]], None], on_death: Callable[[str], None]) -> None:
        self.on_reply, self.on_death = on_reply, on_death
        self.machine: dict[str, str] = {}
        self.told: list[dict[str, Any]] = []

    def start(self) -> None:
        self.ready()

    def send(self, command: dict[str, Any]) -> None:
        self.told.append(command)

    def close(self, *, saves: bool = True) -> None:
        self.told.append({"do": "close", "saves": saves})

    def ready(self) -> None:
        self.machine = MACHINE
        self.on_reply({"ready": MACHINE})

    def trains(self) -> list[str]:
        """The ids of the runs it was told to train, in order."""
        return [Path(command["folder"]).name for command in self.told if command["do"] == "train"]


class Opened:
    """A lab without a process, and the means to play it."""

    def __init__(self, home: Path) -> None:
        self.lab = RunService(home, token="teacher")
        self.worker: StandIn = self.lab._worker  # type: ignore[assignment]

    def done(self, run_id: str, failed: str | None = None) -> None:
        self.worker.on_reply({"done": str(self.lab.folder / run_id), "failed": failed})
