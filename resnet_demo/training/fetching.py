"""Downloads a run's data from the Hub: yields progress as events, and stops when the run is to end."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from functools import partial

from resnet_demo.config import DataConfig
from resnet_demo.data import dataset
from resnet_demo.hub.fetch import DownloadCancelled
from resnet_demo.training import distributed
from resnet_demo.training.events import Event, Fetching, RunPaused, RunStopped

SECONDS = 0.5  # between two events


def fetch_data(data: DataConfig, request: Callable[[], str], *, step: int = 0, rank: int = 0) -> Generator[Event, None, bool]:
    """Download the data into the local cache unless they are there.

    With several processes only the first one downloads; the others wait for it.

    Args:
        data: the data settings of the run.
        request: as in session.run; polled several times a second. "stop" does not cancel the download of a run that has
            trained steps, because the run measures its networks before it stops; "pause" always does.
        step: the step of the checkpoint from which the run continues; 0 for a new run.
        rank: the rank of this process.

    Returns:
        Whether the data are in the cache. If not, the run ends; a RunPaused or RunStopped event was yielded if requested.

    Raises:
        HubError: the download failed.
    """
    return (yield from fetch("CIFAR-10", partial(dataset.download, data), request, step=step, rank=rank))


def fetch(
    what: str, download: Callable[[Callable[[], bool]], Iterator[tuple[int, int]]], request: Callable[[], str], *,
    step: int = 0, rank: int = 0,
) -> Generator[Event, None, bool]:  # fmt: skip
    """As `fetch_data`, for any `download`: it yields (done, total) bytes, and is given a function that says whether to cancel."""
    is_local = False
    try:
        if rank == 0:
            is_local = yield from _fetch(what, download, request, step)
    finally:  # the other processes wait for this broadcast even if the download failed
        is_local = distributed.broadcast("local" if is_local else "missing") == "local"
    return is_local


def _fetch(
    what: str, download: Callable[[Callable[[], bool]], Iterator[tuple[int, int]]], request: Callable[[], str], step: int
) -> Generator[Event, None, bool]:
    start, last_event = time.perf_counter(), -SECONDS

    def should_cancel() -> bool:
        latest = request()
        return latest != "go on" and not (latest == "stop" and step)

    try:
        for done, total in download(should_cancel):
            if time.perf_counter() - last_event >= SECONDS:
                last_event = time.perf_counter()
                yield Fetching(step=step, what=what, done=done, total=total)
    except DownloadCancelled:
        match request():
            case "stop":
                yield RunStopped(step=step, seconds=time.perf_counter() - start)
            case "pause":
                yield RunPaused(step=step)
        return False
    return True
