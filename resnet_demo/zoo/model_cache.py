"""Loaded models, shared between all who ask: each is loaded once, and the least recently used leaves when memory is short."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as NotYet
from functools import lru_cache
from pathlib import Path
from threading import Lock

import psutil
import torch
from torch import nn

from resnet_demo.device import choose
from resnet_demo.hub import fetch
from resnet_demo.zoo import folder, repository
from resnet_demo.zoo.catalogue import locate
from resnet_demo.zoo.folder import Weights

SHARE_OF_FREE_MEMORY = 0.5
log = logging.getLogger(__name__)


class ModelCache:
    """Models in evaluation mode, on one device. Nobody may change them.

    Args:
        budget: bytes of weights to keep; by default half of the memory that is free now. The model asked for
            last always stays, and a model that left lives on with those who still use it.
        device: where the models go; by default what `device.choose` says.
    """

    def __init__(self, budget: int | None = None, device: torch.device | None = None) -> None:
        self.device = choose().device if device is None else device
        self.budget = int(SHARE_OF_FREE_MEMORY * _free_memory(self.device)) if budget is None else budget
        self._lock = Lock()
        self._loaded: OrderedDict[str, Weights] = OrderedDict()  # the least recently used first
        self._coming: dict[str, Future[Weights]] = {}

    def get(
        self, source: str, *, allow_paths: bool = False,
        on_progress: fetch.Progress | None = None, should_cancel: Callable[[], bool] = lambda: False,
    ) -> Weights:  # fmt: skip
        """The model that `source` names, loaded by whoever asks first; the others wait for it.

        Args:
            source: a name of the catalogue, a Hub id, or (with `allow_paths`) a path.
            allow_paths: only for what the operator typed; a page's text is never taken for a path.
            on_progress: told (done, total) bytes while a file is downloaded.
            should_cancel: asked several times a second while a file is downloaded.

        Raises:
            WeightsError: there is no such model, or it is damaged.
            HubError: the Hub did not give it.
            hub.DownloadCancelled: `should_cancel` said so.
        """
        place = locate(source, allow_paths=allow_paths)
        key = _key(place)
        while True:
            with self._lock:
                if key in self._loaded:
                    self._loaded.move_to_end(key)
                    return self._loaded[key]
                coming = self._coming.get(key)
                if first := coming is None:
                    coming = self._coming[key] = Future()
            if first:
                return self._load(place, key, coming, on_progress, should_cancel)
            try:
                return _waited(coming, should_cancel)
            except CancelledError:
                continue  # who asked first no longer wants it; we do

    def is_loaded(self, source: str) -> bool:
        """Whether `get` would answer at once."""
        with self._lock:
            return _key(locate(source, allow_paths=False)) in self._loaded

    @property
    def used(self) -> int:
        """Bytes of the weights on the shelf."""
        return sum(nbytes(weights.model) for weights in self._loaded.values())

    def _load(
        self, place: Path | str, key: str, coming: Future[Weights],
        on_progress: fetch.Progress | None, should_cancel: Callable[[], bool],
    ) -> Weights:  # fmt: skip
        try:
            if isinstance(place, Path):
                weights = folder.load(place)
            else:
                weights = repository.load(place, on_progress=on_progress, should_cancel=should_cancel)
            weights.model.to(self.device)
        except BaseException as error:
            with self._lock:
                del self._coming[key]
            if isinstance(error, fetch.DownloadCancelled):
                coming.cancel()
            else:
                coming.set_exception(error)
            raise
        with self._lock:
            self._loaded[key] = weights
            del self._coming[key]
            while len(self._loaded) > 1 and self.used > self.budget:
                left, _ = self._loaded.popitem(last=False)
                log.info("%s left the shelf: memory is short.", left)
        coming.set_result(weights)
        return weights


@lru_cache(maxsize=1)
def shelf() -> ModelCache:
    """The process's own shelf."""
    return ModelCache()


def nbytes(model: nn.Module) -> int:
    """Bytes of a model's parameters and buffers."""
    return sum(tensor.nbytes for tensor in (*model.parameters(), *model.buffers()))


def _key(place: Path | str) -> str:
    """Names one state of a model: a folder that was written anew is another model."""
    if isinstance(place, str):
        return place
    try:
        written = (place / folder.WEIGHTS).stat().st_mtime_ns
    except OSError:
        written = 0  # loading will say what is wrong
    return f"{place.resolve()}@{written}"


def _waited(coming: Future[Weights], should_cancel: Callable[[], bool]) -> Weights:
    while True:
        try:
            return coming.result(timeout=0.2)
        except NotYet:
            if should_cancel():
                raise fetch.DownloadCancelled("Waiting for the model was cancelled.") from None


def _free_memory(device: torch.device) -> int:
    """Bytes that are free where the models go."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available
