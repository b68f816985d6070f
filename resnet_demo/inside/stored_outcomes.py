"""Outcomes that take minutes, on disk by hashes of weights and settings: computed on this machine, or shipped. No torch here."""

from __future__ import annotations

import hashlib
import json
import logging
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from resnet_demo import files
from resnet_demo.evaluation.fingerprints import Fingerprints
from resnet_demo.inside.outcome import Outcome
from resnet_demo.inside.request import InsideRequest

VERSION = 1
"""Part of each hash; raise it when an experiment computes something else, so that older files are ignored."""
OUTCOMES = TypeAdapter(Outcome)
SHIPPED = Path(__file__).parent / "surfaces"
"""Outcomes that ship; `python -m resnet_demo.inside.loss_surface` makes them."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredOutcomes:
    """Outcomes, a file each.

    Args:
        folder: where the files are; made when the first is written.
        max_bytes: of all files together; those written longest ago are deleted first.
        fingerprints: identify the weights of a network.
    """

    folder: Path
    max_bytes: int = 5_000_000
    fingerprints: Fingerprints = field(default_factory=Fingerprints)

    def get(self, request: InsideRequest) -> Outcome | None:
        """The outcome; None if there is none, or its file is damaged."""
        try:
            path = self._path(request)
            return None if path is None else OUTCOMES.validate_json(files.read_text(path))
        except FileNotFoundError:
            return None
        except (OSError, UnicodeDecodeError, ValidationError) as error:
            log.warning("The outcome of an experiment cannot be read: %s", error)
            return None

    def put(self, request: InsideRequest, outcome: Outcome) -> None:
        """Keep an outcome. A full disk is no error: it is computed again the next time."""
        try:
            path = self._path(request)
            if path is not None:
                self.folder.mkdir(parents=True, exist_ok=True)
                files.write_atomically(path, OUTCOMES.dump_json(outcome))
                files.drop_least_recently_used(self.folder.glob("*.json"), self.max_bytes)
        except OSError as error:
            log.warning("The outcome of an experiment is not kept: %s", error)

    def _path(self, request: InsideRequest) -> Path | None:
        """The file of a request; None if a network is not on this machine."""
        networks = [self.fingerprints.key(name, "bundled") for name in request.models]
        if None in networks:
            return None
        text = json.dumps([VERSION, request.settings, networks], sort_keys=True)
        return self.folder / f"{hashlib.sha256(text.encode()).hexdigest()}.json"
