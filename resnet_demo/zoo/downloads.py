"""Downloads of models in the background, which requests start, watch and cancel.

A request never waits for the network. If `is_local` is false, it starts a download and polls its state. The model
in use stays in use.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event, Lock
from typing import Any, Literal

from resnet_demo.errors import ResNetDemoError
from resnet_demo.hub import fetch
from resnet_demo.zoo import repository
from resnet_demo.zoo.catalogue import locate, title_of
from resnet_demo.zoo.model_cache import ModelCache

THREADS = 2
UNREACHABLE = "{} is not on this machine, and the Hugging Face Hub cannot be reached: try again when there is a network."
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Download:
    """The progress of a download.

    Args:
        source: the Hub id of the model.
        state: waiting for its turn, downloading (and loading), ready, failed or cancelled.
        done: bytes received.
        total: bytes of the file of weights; 0 until it is known.
        message: why it failed, in a sentence.
    """

    source: str
    state: Literal["waiting", "downloading", "ready", "failed", "cancelled"] = "waiting"
    done: int = 0
    total: int = 0
    message: str = ""

    @property
    def in_progress(self) -> bool:
        """Whether the state will still change."""
        return self.state in ("waiting", "downloading")


class Downloads:
    """The downloads of an app: at most two at a time, and one for each model however many requests need it.

    Args:
        cache: loads the models and keeps them.
    """

    def __init__(self, cache: ModelCache) -> None:
        self._cache = cache
        self._lock = Lock()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="download")
        self._states: dict[str, Download] = {}
        self._cancels: dict[str, Event] = {}

    def is_local(self, source: str) -> bool:
        """Whether the model can be loaded without the network.

        Raises:
            WeightsError: there is no such model.
        """
        place = locate(source, allow_paths=False)
        return isinstance(place, Path) or self._cache.is_loaded(source) or repository.is_cached(place)

    def start(self, source: str) -> Download:
        """Start a download, or join the one in progress; a failed one is tried again.

        Raises:
            WeightsError: there is no such model.
        """
        locate(source, allow_paths=False)
        with self._lock:
            latest = self._states.get(source)
            if latest is not None and (latest.in_progress or (latest.state == "ready" and self._cache.is_loaded(source))):
                return latest
            self._states[source] = download = Download(source)
            self._cancels[source] = cancel = Event()
        self._threads.submit(self._download, source, cancel)
        return download

    def state(self, source: str) -> Download | None:
        """The progress of the latest download; None if there was none."""
        return self._states.get(source)

    def cancel(self, source: str) -> None:
        """End a download and remove its partial file."""
        with self._lock:
            if source in self._cancels:
                self._cancels[source].set()

    def _download(self, source: str, cancel: Event) -> None:
        if cancel.is_set():
            return self._change(source, state="cancelled")
        self._change(source, state="downloading")
        try:
            self._cache.get(
                source,
                on_progress=lambda done, total: self._change(source, done=done, total=total),
                should_cancel=cancel.is_set,
            )
        except fetch.DownloadCancelled:
            return self._change(source, state="cancelled")
        except fetch.HubUnreachable:
            return self._change(source, state="failed", message=UNREACHABLE.format(title_of(source)))
        except ResNetDemoError as error:
            return self._change(source, state="failed", message=str(error))
        except Exception as error:
            log.exception("The download of %s failed.", source)
            return self._change(
                source, state="failed", message=f"{source} could not be loaded: {type(error).__name__}: {error}"
            )
        return self._change(source, state="ready")

    def _change(self, source: str, **changes: Any) -> None:
        with self._lock:
            self._states[source] = replace(self._states[source], **changes)
