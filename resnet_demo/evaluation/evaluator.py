"""Evaluations for the page, the API and the command line: stored answers if there are any, else a new measurement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from huggingface_hub import constants

from resnet_demo import files
from resnet_demo.data import cifar10
from resnet_demo.errors import DataError
from resnet_demo.evaluation.fingerprints import Fingerprints
from resnet_demo.evaluation.measurement import Measurement
from resnet_demo.evaluation.stored_predictions import SHIPPED_FILE, StoredPredictions, read
from resnet_demo.zoo.catalogue import SHIPPED, title_of

if TYPE_CHECKING:
    from resnet_demo.zoo.folder import Weights

Say = Callable[[str], object]
Loader = Callable[[str, Say, Callable[[], bool]], "Weights"]
"""Loads a model by its source; reports progress sentences, and stops when asked to."""


def nothing(_: str) -> None:
    """For callers who do not want to know about the progress."""


@dataclass(frozen=True)
class Evaluator:
    """Measures models, each on the same data only once.

    Args:
        stored: the answers of earlier measurements.
        shipped: the folder of the models that ship, with their answers to the bundled images.
        fingerprints: by which they are known again.
    """

    stored: StoredPredictions
    shipped: Path = SHIPPED
    fingerprints: Fingerprints = field(default_factory=Fingerprints)

    def find(self, model: str, data: str, *, allow_paths: bool = False) -> Measurement | None:
        """The measurement, if nothing has to be computed for it. Loads no torch.

        Raises:
            WeightsError: there is no such model.
            DataError: the folder is not a data set.
        """
        key = self.fingerprints.key(model, data, allow_paths=allow_paths)
        return None if key is None else self._find(model, data, key)

    def measure(
        self, model: str, data: str, load: Loader, *,
        allow_paths: bool = False, say: Say = nothing, should_cancel: Callable[[], bool] = lambda: False,
    ) -> Measurement:  # fmt: skip
        """The measurement of a model on data; downloads, loads and computes what is missing.

        Args:
            model: a source (zoo/catalogue.py).
            data: cifar10, bundled or the path of a folder.
            load: loads the model.
            allow_paths: as in `catalogue.locate`.
            say: called with progress sentences.
            should_cancel: called several times a second.

        Raises:
            WeightsError: the model is damaged or missing.
            DataError: the data is damaged, missing, or of other classes.
            HubError: a download failed, or was cancelled.
        """
        before = self.fingerprints.key(model, data, allow_paths=allow_paths)
        cached = None if before is None else self._find(model, data, before)
        if cached is not None:
            return cached
        from resnet_demo.evaluation import testset
        from resnet_demo.evaluation.measure import measure

        weights = load(model, say, should_cancel)

        def download(done: int, total: int) -> None:
            say(f"Downloading the test images of CIFAR-10 from the Hugging Face Hub: {done / 1e6:.0f} of {total / 1e6:.0f} MB.")

        if data == "cifar10" and constants.HF_HUB_OFFLINE and not cifar10.is_test_local():
            raise DataError(
                "CIFAR-10's test images are not on this machine, and the app runs offline: measure on the bundled ones, or fetch "
                'them over a network with "python -m resnet_demo prefetch --data cifar10".'
            )
        say("Reading the pictures.")
        pictures = testset.load(data, download, should_cancel=should_cancel)

        def progress(done: int, total: int) -> None:
            say(f"{title_of(model)} has answered {done:,} of {total:,} pictures.")

        measurement = measure(weights, pictures, on_progress=progress, should_cancel=should_cancel)
        key = self.fingerprints.key(model, data, allow_paths=allow_paths)
        if key is not None and before in (None, key):  # else the files are others now than those that were measured
            self.stored.put(key, measurement)
        return measurement

    def _find(self, model: str, data: str, key: str) -> Measurement | None:
        shipped = read(self.shipped / model / SHIPPED_FILE, key) if data == "bundled" and "/" not in model else None
        return shipped or self.stored.get(key)


def evaluator() -> Evaluator:
    """The evaluator whose answers are kept in the user's folder."""
    return Evaluator(StoredPredictions(files.home() / "evaluations"))
