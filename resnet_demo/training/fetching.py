"""The wait for data that come from the Hub: told as events, and given up when the run is asked to end."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator

from resnet_demo.config import DataConfig
from resnet_demo.data import dataset
from resnet_demo.hub import DownloadCancelled
from resnet_demo.training.events import Event, Fetching, RunPaused, RunStopped

SECONDS = 0.5  # between two events


def fetched(data: DataConfig, request: Callable[[], str]) -> Generator[Event, None, bool]:
    """Bring the data into the local cache; nothing happens where they are there.

    Args:
        data: of the run.
        request: as in session.run: asked several times a second.

    Returns:
        Whether the data are there; if not, the run ends, and has said so where it was asked to pause or to stop.

    Raises:
        HubError: the Hub did not give them.
    """
    begun, told = time.perf_counter(), -SECONDS
    try:
        for done, total in dataset.arriving(data, lambda: request() != "go on"):
            if time.perf_counter() - told >= SECONDS:
                told = time.perf_counter()
                yield Fetching(what="CIFAR-10", done=done, total=total)
    except DownloadCancelled:
        match request():
            case "stop":
                yield RunStopped(step=0, seconds=time.perf_counter() - begun)
            case "pause":
                yield RunPaused(step=0)
        return False
    return True
