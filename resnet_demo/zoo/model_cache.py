"""Loaded models, shared by all requests: each is loaded once, and the least recently used is dropped when memory is short."""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as FutureTimeout
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
    """Models in evaluation mode, on one device. They are shared: never change one.

    Args:
        budget: bytes of weights to keep; by default half of the memory that is free now. The model of the last
            request always stays, and a dropped model lives on for as long as a request uses it.
        device: where the models go; by default the result of `device.choose`.
    """

    def __init__(self, budget: int | None = None, device: torch.device | None = None) -> None:
        self.device = choose().device if device is None else device
        self.budget = int(SHARE_OF_FREE_MEMORY * _free_memory(self.device)) if budget is None else budget
        self._lock = Lock()
        self._loaded: OrderedDict[str, Weights] = OrderedDict()  # the least recently used first
        self._loading: dict[str, Future[Weights]] = {}

    def get(
        self, source: str, *, allow_paths: bool = False,
        on_progress: fetch.Progress | None = None, should_cancel: Callable[[], bool] = lambda: False,
    ) -> Weights:  # fmt: skip
        """The model that `source` names. The first caller loads it, and the others wait.

        Args:
            source: a name of the catalogue, a Hub id, or (with `allow_paths`) a path.
            allow_paths: only for the operator's own input; text from a page is never taken for a path.
            on_progress: called with (done, total) bytes during a download.
            should_cancel: called several times a second during a download.

        Raises:
            WeightsError: there is no such model, or it is damaged.
            HubError: the download failed.
            DownloadCancelled: `should_cancel` returned true.
        """
        place = locate(source, allow_paths=allow_paths)
        key = _key(place)
        while True:
            with self._lock:
                if key in self._loaded:
                    self._loaded.move_to_end(key)
                    return self._loaded[key]
                result = self._loading.get(key)
                is_first = result is None
                if result is None:
                    result = self._loading[key] = Future()
            if is_first:
                return self._load(place, key, result, on_progress, should_cancel)
            try:
                return _wait(result, should_cancel)
            except CancelledError:
                continue  # the first caller cancelled its download; this one still needs the model

    def is_loaded(self, source: str) -> bool:
        """Whether `get` returns at once."""
        with self._lock:
            return _key(locate(source, allow_paths=False)) in self._loaded

    @property
    def used(self) -> int:
        """Bytes of the weights in the cache."""
        return sum(nbytes(weights.model) for weights in self._loaded.values())

    def _load(
        self, place: Path | str, key: str, result: Future[Weights],
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
                del self._loading[key]
            if isinstance(error, fetch.DownloadCancelled):
                result.cancel()
            else:
                result.set_exception(error)
            raise
        with self._lock:
            self._loaded[key] = weights
            del self._loading[key]
            while len(self._loaded) > 1 and self.used > self.budget:
                dropped, _ = self._loaded.popitem(last=False)
                log.info("%s is dropped from the cache: memory is short.", dropped)
        result.set_result(weights)
        return weights


def nbytes(model: nn.Module) -> int:
    """Bytes of a model's parameters and buffers."""
    return sum(tensor.nbytes for tensor in (*model.parameters(), *model.buffers()))


def _key(place: Path | str) -> str:
    """Identifies one version of a model: a folder that was written again is another model."""
    if isinstance(place, str):
        return place
    try:
        modified = [(place / name).stat().st_mtime_ns for name in (folder.CONFIG, folder.WEIGHTS)]
    except OSError:
        modified = []  # loading raises the error
    return f"{place.resolve()}@{modified}"


def _wait(result: Future[Weights], should_cancel: Callable[[], bool]) -> Weights:
    while True:
        try:
            return result.result(timeout=0.2)
        except FutureTimeout:
            if should_cancel():
                raise fetch.DownloadCancelled("Waiting for the model was cancelled.") from None


def _free_memory(device: torch.device) -> int:
    """Bytes of free memory on the device."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    return psutil.virtual_memory().available
