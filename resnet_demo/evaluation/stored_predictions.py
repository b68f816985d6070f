"""A model's answers on disk, by hashes of its weights, its preprocessing and the data: asking again computes nothing. No torch here."""

from __future__ import annotations

import io
import logging
import os
from dataclasses import dataclass
from pathlib import Path

import numpy

from resnet_demo.evaluation.measurement import COLUMNS, Measurement, columns, from_columns
from resnet_demo.files import drop_least_recently_used, open_regular, write_atomically

SHIPPED_FILE = "predictions.npz"
"""In the folder of a model that ships: its answers to the bundled test images."""

LARGEST = 50_000_000
"""Bytes of one file that is read; 50,000 pictures take about 1 MB."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredPredictions:
    """The answers of many measurements, a file each. Any number of threads and processes may use it.

    Args:
        folder: where the files are; made when the first is written.
        max_bytes: of all files together; the least recently used go first.
    """

    folder: Path
    max_bytes: int = 200_000_000

    def get(self, key: str) -> Measurement | None:
        """The measurement with that key; None if there is none, or its file is damaged."""
        path = self._path(key)
        measurement = read(path, key)
        if measurement is not None:
            try:
                os.utime(path)  # used now
            except OSError:
                log.debug("The time of %s cannot be set.", path)
        return measurement

    def put(self, key: str, measurement: Measurement) -> None:
        """Keep a measurement. A full disk is no error: it is computed again the next time."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path(key), to_bytes(key, measurement))
            drop_least_recently_used(self.folder.glob("*.npz"), self.max_bytes)
        except OSError as error:
            log.warning("The answers of a model are not kept: %s", error)

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.npz"


def read(path: Path, key: str) -> Measurement | None:
    """The measurement in a file; None if the file is missing or damaged, or belongs to another key."""
    try:
        with open_regular(path) as file:
            content = io.BytesIO(file.read(LARGEST))
        with numpy.load(content, allow_pickle=False) as archive:
            if str(archive["key"]) != key:
                return None
            return from_columns(str(archive["about"]), {name: archive[name] for name in COLUMNS})
    except FileNotFoundError:
        return None
    except Exception as error:  # damaged files raise many types: of NumPy, zipfile, tokenize, or no memory for a claimed shape
        log.warning("The answers in %s are damaged and left out: %s", path, error)
        return None


def to_bytes(key: str, measurement: Measurement) -> bytes:
    """The content of a file."""
    content = io.BytesIO()
    about = measurement.about.model_dump_json()
    arrays = {"key": numpy.array(key), "about": numpy.array(about), **columns(measurement)}
    numpy.savez_compressed(content, allow_pickle=False, **arrays)
    return content.getvalue()
