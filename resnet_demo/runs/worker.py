"""The process that trains: `python -m resnet_demo.runs.worker`, started and fed by the app (worker_process.py).

It reads commands as lines of JSON on standard input and writes replies to standard output (trainer.py); the events of a run are
in its record. Commands:

    {"do": "train", "folder": …, "resume": …}      train one run to its end
    {"do": "pause" | "stop", "folder": …}          for the run that trains now; ignored for others
    {"do": "measure", "config": …}                 time a few steps of each network of a run (RunConfig)

Standard input closes when the app ends: the run that trains saves a checkpoint and the process ends, so that nothing trains
unseen. SIGTERM does the same. Torch, the bundled images and the choice of precision are loaded before the first command.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from resnet_demo.comparison import LabSettings, comparison
from resnet_demo.config import RunConfig
from resnet_demo.errors import ResNetDemoError
from resnet_demo.parsing import parse

if TYPE_CHECKING:
    from resnet_demo.data.dataset import BundledCache
    from resnet_demo.training.machine import Machine

NICENESS = 10  # the page goes first
SECONDS_TO_LEAVE = 20.0


class Inbox:
    """Receives commands; keeps requests to the run that trains apart from the work to do next."""

    def __init__(self, commands: IO[bytes]) -> None:
        self._work: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._requests: dict[str, Any] = {}
        self._gone = threading.Event()
        threading.Thread(target=self._read, args=(commands,), daemon=True).start()

    def _read(self, commands: IO[bytes]) -> None:
        for line in commands:
            command = json.loads(line)
            if command["do"] in ("pause", "stop"):
                self._requests[command["folder"]] = command["do"]
            else:
                if command["do"] == "train":  # a request that came when the run had just ended is not for its continuation
                    self._requests.pop(command["folder"], None)
                self._work.put(command)
        self.leave()

    def leave(self, *_: object) -> None:
        """Take no more work, and ask the run that trains to save a checkpoint and end. Serves as a signal handler."""
        if self.is_left():
            return
        self._gone.set()
        self._work.put(None)
        timer = threading.Timer(SECONDS_TO_LEAVE, os._exit, (1,))  # a step that takes longer is not awaited
        timer.daemon = True
        timer.start()

    def is_left(self) -> bool:
        """Whether the process takes no more work."""
        return self._gone.is_set()

    def next(self) -> dict[str, Any] | None:
        """The next piece of work, or None when the app is gone."""
        return self._work.get()

    def has_work(self) -> bool:
        """Whether there is work to do next."""
        return not self._work.empty()

    def request(self, folder: str) -> Any:
        """The present request to the run in `folder`."""
        return "leave" if self.is_left() else self._requests.get(folder, "go on")


def main() -> int:
    """Serve until standard input closes, or until a run fails: the next one gets a fresh process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the app, which then closes our standard input
    logging.basicConfig(level=logging.WARNING, format="training: %(message)s")
    replies = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # whatever a library prints goes to the log
    if hasattr(os, "nice"):
        os.nice(NICENESS)
    inbox = Inbox(sys.stdin.buffer)
    signal.signal(signal.SIGTERM, inbox.leave)  # sent to every process of a service or container that is stopped
    warm = _warm_up()
    from resnet_demo.device import name_of

    _reply(replies, ready={"device": name_of(warm.on.device), "precision": warm.on.faster_precision})
    while (command := inbox.next()) is not None:
        if command["do"] == "train":
            failed = _train(Path(command["folder"]), bool(command["resume"]), inbox, warm)
            leaving = failed is not None or inbox.is_left()
            _reply(replies, done=command["folder"], failed=failed, leaving=leaving)
            if leaving:
                return 0
        else:
            _reply(replies, **_measure(parse(RunConfig, json.dumps(command["config"])), inbox.has_work, warm))
    return 0


def _reply(replies: IO[str], **content: Any) -> None:
    try:
        replies.write(json.dumps(content) + "\n")
    except BrokenPipeError:  # the app is gone; standard input tells us too
        logging.getLogger(__name__).warning("The app is gone; nobody receives %s.", next(iter(content)))


@dataclass(frozen=True)
class _Warm:
    """Loaded before the first command: the machine's device and faster precision, and the bundled images."""

    on: Machine
    datasets: BundledCache


def _warm_up() -> _Warm:
    import torch

    from resnet_demo.data.dataset import BundledCache
    from resnet_demo.training import machine
    from resnet_demo.transfer import preparation  # noqa: F401 so that a transfer starts at once

    machine.keep_memory()
    torch.optim.SGD([torch.zeros(1, requires_grad=True)])  # the first optimizer imports torch._dynamo, which takes a second
    warm = _Warm(machine.Machine(), BundledCache())
    warm.datasets.load(comparison(LabSettings()).data)
    return warm


def _train(folder: Path, resume: bool, inbox: Inbox, warm: _Warm) -> str | None:
    """Train one run to its end; returns the reason if it failed."""
    from resnet_demo.results.transfer_paper import beside_paper
    from resnet_demo.training import session
    from resnet_demo.training.events import RunFailed
    from resnet_demo.training.record import Record
    from resnet_demo.transfer.preparation import preparation_of

    last = None
    try:
        config = Record(folder).config
        for event in session.run(
            config, folder, resume=resume, request=lambda: inbox.request(str(folder)), on=warm.on, load=warm.datasets.load,
            prepare=preparation_of(config, beside_paper),
        ):  # fmt: skip
            last = event
    except (ResNetDemoError, OSError, MemoryError) as error:
        return session.failure_reason(error)
    return last.reason if isinstance(last, RunFailed) else None


def _measure(config: RunConfig, should_stop: Callable[[], bool], warm: _Warm) -> dict[str, list[dict[str, Any]]]:
    """Time a step, and a test image, of each different network, until there is other work.

    Returns:
        The times that were `measured`, and the networks for which that `failed`; neither holds networks that were not reached.
    """
    from resnet_demo.runs import time_steps

    models = list(dict.fromkeys(arm.model for arm in config.arms))
    times: list[dict[str, Any]] = []
    failed: list[dict[str, Any]] = []
    for model in models:
        try:
            seconds = time_steps.time_steps(model, config, warm.on, warm.datasets.load, should_stop)
        except Exception:  # an estimate is not worth the process
            logging.getLogger(__name__).exception("%s could not be timed.", model.name)
            failed.append(model.model_dump())
            continue
        if seconds is None:
            break
        times.append({"model": model.model_dump(), "step_seconds": seconds[0], "picture_seconds": seconds[1]})
    return {"measured": times, "failed": failed}


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # the thread that reads commands still runs, so interpreter shutdown would hang
