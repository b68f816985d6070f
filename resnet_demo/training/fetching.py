"""The wait for data from the Hub: reported as events, and given up when the run is asked to end."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator

from resnet_demo.config import DataConfig
from resnet_demo.data import dataset
from resnet_demo.hub.fetch import DownloadCancelled
from resnet_demo.training import distributed
from resnet_demo.training.events import Event, Fetching, RunPaused, RunStopped

SECONDS = 0.5  # between two events


def fetch_data(data: DataConfig, request: Callable[[], str], *, step: int = 0, rank: int = 0) -> Generator[Event, None, bool]:
    """Bring the data into the local cache; nothing happens where they are there.

    Of several processes only the first fetches; the others wait for it.

    Args:
        data: of the run.
        request: as in session.run: asked several times a second. A run that has learnt something is stopped with its
            data: they are waited for, to measure and write down what was learnt; to pause it needs none.
        step: of the checkpoint from which the run goes on; 0 if it begins.
        rank: of this process among those that train the run.

    Returns:
        Whether the data are there; if not, the run ends, and has said so where it was asked to pause or to stop.

    Raises:
        HubError: the Hub did not give them.
    """
    is_local = False
    try:
        if rank == 0:
            is_local = yield from _fetch(data, request, step)
    finally:  # the other processes wait for this answer, whatever became of the data
        is_local = distributed.broadcast("local" if is_local else "missing") == "local"
    return is_local


def _fetch(data: DataConfig, request: Callable[[], str], step: int) -> Generator[Event, None, bool]:
    began, last_event = time.perf_counter(), -SECONDS

    def should_cancel() -> bool:
        latest = request()
        return latest != "go on" and not (latest == "stop" and step)

    try:
        for done, total in dataset.download(data, should_cancel):
            if time.perf_counter() - last_event >= SECONDS:
                last_event = time.perf_counter()
                yield Fetching(step=step, what="CIFAR-10", done=done, total=total)
    except DownloadCancelled:
        match request():
            case "stop":
                yield RunStopped(step=step, seconds=time.perf_counter() - began)
            case "pause":
                yield RunPaused(step=step)
        return False
    return True
