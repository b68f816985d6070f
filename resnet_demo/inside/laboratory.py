"""Outcomes of experiments: those that ship, those that are kept in memory or on disk, else computed anew. Without torch until then."""

from __future__ import annotations

from collections import OrderedDict
from threading import Lock

from resnet_demo import files
from resnet_demo.inside import shattered
from resnet_demo.inside.context import Context
from resnet_demo.inside.outcome import Outcome
from resnet_demo.inside.request import InsideRequest
from resnet_demo.inside.stored_outcomes import SHIPPED, StoredOutcomes
from resnet_demo.zoo import catalogue

KEPT = 200

Key = tuple[object, ...]


class Laboratory:
    """Computes each experiment once, until it is one of the KEPT least recently asked for."""

    def __init__(self, stored: StoredOutcomes | None = None) -> None:
        self._stored = stored or StoredOutcomes(files.home() / "inside")
        self._shipped = StoredOutcomes(SHIPPED, fingerprints=self._stored.fingerprints)
        self._lock = Lock()
        self._outcomes: OrderedDict[Key, Outcome] = OrderedDict()  # the least recently used first

    def find(self, request: InsideRequest) -> Outcome | None:
        """The outcome, if nothing has to be computed for it."""
        key = _key(request)
        with self._lock:
            if key in self._outcomes:
                self._outcomes.move_to_end(key)
                return self._outcomes[key]
        if request.is_slow:
            outcome = self._shipped.get(request) or self._stored.get(request)
            return None if outcome is None else self._keep(key, outcome)
        if request.experiment != "gradients" or request.seed:
            return None
        by_depth = shattered.shipped()
        if request.depth not in by_depth:
            return None
        return self._keep(key, shattered.outcome(request.depth, 0, by_depth[request.depth], by_depth))

    def run(self, request: InsideRequest, context: Context) -> Outcome:
        """The outcome.

        Raises:
            ResNetDemoError: a model is missing or not one for these pictures, a setting is out of its range.
            ExperimentCancelled: `context.should_cancel` returned true.
        """
        outcome = self.find(request)
        if outcome is not None:
            return outcome
        from resnet_demo.inside.compute import EXPERIMENT_FUNCTIONS

        key = _key(request)
        outcome = EXPERIMENT_FUNCTIONS[request.experiment](request, context)
        if request.is_slow:
            self._stored.put(request, outcome)
        return self._keep(key, outcome)

    def _keep(self, key: Key, outcome: Outcome) -> Outcome:
        with self._lock:
            self._outcomes[key] = outcome
            self._outcomes.move_to_end(key)
            while len(self._outcomes) > KEPT:
                self._outcomes.popitem(last=False)
        return outcome


def _key(request: InsideRequest) -> Key:
    """The settings that the experiment reads, and the versions of its models."""
    return (*request.settings.items(), *(_version(name) for name in request.models))


def _version(name: str) -> int:
    """Changes when a model's weights are written again."""
    folder = catalogue.find(name)
    try:
        return (folder / "model.safetensors").stat().st_mtime_ns if folder else 0
    except OSError:
        return 0
