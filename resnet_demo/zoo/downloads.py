"""Models that come from the Hub while the page goes on: started, watched and cancelled by whoever asks.

A request never waits for the network. It asks `is_local`; if not, it starts a download here and looks at its
state from time to time. The model in use stays in use.
"""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from threading import Event, Lock
from typing import Any, Literal

from resnet_demo.errors import ResNetDemoError
from resnet_demo.hub import fetch
from resnet_demo.zoo import repository
from resnet_demo.zoo.catalogue import locate, title_of
from resnet_demo.zoo.model_cache import ModelCache, shelf

AT_ONCE = 2
UNREACHABLE = "{} is not on this machine, and the Hugging Face Hub cannot be reached: try again when there is a network."
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Download:
    """How far a model is.

    Args:
        source: what was asked for.
        state: waiting for its turn, downloading (and loading), ready, failed or cancelled.
        done: bytes that are there.
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
        """Whether its state will still change."""
        return self.state in ("waiting", "downloading")


class Downloads:
    """All downloads of the process: at most two at a time, one for each model however many ask for it.

    Args:
        onto: the shelf that the models are loaded onto.
    """

    def __init__(self, onto: ModelCache) -> None:
        self._shelf = onto
        self._lock = Lock()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="download")
        self._states: dict[str, Download] = {}
        self._cancels: dict[str, Event] = {}

    def is_local(self, source: str) -> bool:
        """Whether the model can be had without the network.

        Raises:
            WeightsError: there is no such model.
        """
        place = locate(source, allow_paths=False)
        return isinstance(place, Path) or self._shelf.is_loaded(source) or repository.is_cached(place)

    def start(self, source: str) -> Download:
        """Begin to bring a model, or join the download that is on its way; one that failed is tried again.

        Raises:
            WeightsError: there is no such model.
        """
        locate(source, allow_paths=False)
        with self._lock:
            known = self._states.get(source)
            if known is not None and (known.in_progress or (known.state == "ready" and self._shelf.is_loaded(source))):
                return known
            self._states[source] = started = Download(source)
            self._cancels[source] = cancel = Event()
        self._threads.submit(self._bring, source, cancel)
        return started

    def state(self, source: str) -> Download | None:
        """How far it is; None if it was never asked for."""
        return self._states.get(source)

    def cancel(self, source: str) -> None:
        """End a download; nothing of it stays in the cache."""
        with self._lock:
            if source in self._cancels:
                self._cancels[source].set()

    def _bring(self, source: str, cancel: Event) -> None:
        if cancel.is_set():
            return self._change(source, state="cancelled")
        self._change(source, state="downloading")
        try:
            self._shelf.get(
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
            log.exception("Bringing %s failed.", source)
            return self._change(
                source, state="failed", message=f"{source} could not be loaded: {type(error).__name__}: {error}"
            )
        return self._change(source, state="ready")

    def _change(self, source: str, **changes: Any) -> None:
        with self._lock:
            self._states[source] = replace(self._states[source], **changes)


@lru_cache(maxsize=1)
def downloads() -> Downloads:
    """The process's own downloads, onto its own shelf."""
    return Downloads(shelf())
