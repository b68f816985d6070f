"""By what an evaluation is known again: hashes of the weights, of the preprocessing, and of the data. No torch here."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path

from resnet_demo.data import cifar10
from resnet_demo.data.folders import list_test_files
from resnet_demo.files import expand_home, open_regular, read_text
from resnet_demo.hub import fetch
from resnet_demo.zoo.catalogue import locate

CONFIG, WEIGHTS = "config.json", "model.safetensors"
MEASURED = ("architecture", "classes", "preprocessing")
"""The entries of our config.json that change answers."""


@dataclass(frozen=True)
class Fingerprints:
    """Hashes of files; each is computed once, until the file's size or time changes."""

    _hashes: dict[tuple[Path, int, int], str] = field(default_factory=dict)

    def key(self, model: str, data: str, *, allow_paths: bool = False) -> str | None:
        """The key of an evaluation; None if the weights or the data are not on this machine.

        Args:
            model: a source (zoo/catalogue.py).
            data: cifar10, bundled or the path of a folder.
            allow_paths: as in `catalogue.locate`.

        Raises:
            WeightsError: there is no such model.
            DataError: the folder is not a data set.
        """
        place = locate(model, allow_paths=allow_paths)
        files = [place / name if isinstance(place, Path) else fetch.cached_path(place, name) for name in (CONFIG, WEIGHTS)]
        if files[0] is None or files[1] is None:
            return None
        try:
            of_data = self._of_data(data)
            if of_data is None:
                return None
            parts = (_of_config(files[0]), self._of_file(files[1]), of_data)
        except (OSError, ValueError):  # damaged or gone: whoever loads it raises the error
            return None
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def _of_data(self, data: str) -> str | None:
        if data == "bundled":
            return self._of_file(cifar10.BUNDLED_FILES["test"])
        if data == "cifar10":
            path = fetch.cached_path(cifar10.REPOSITORY, cifar10.FILES["test"], "dataset")
            return None if path is None else self._of_file(path)
        folder = expand_home(data)
        classes, files = list_test_files(folder)
        digest = hashlib.sha256(json.dumps(classes).encode())
        for path, label in files:
            status = path.stat()
            digest.update(f"{path.relative_to(folder)}\0{label}\0{status.st_size}\0{status.st_mtime_ns}\n".encode())
        return digest.hexdigest()

    def _of_file(self, path: Path) -> str:
        status = path.stat()
        identity = (path.resolve(), status.st_size, status.st_mtime_ns)
        if identity not in self._hashes:
            digest = hashlib.sha256()
            with open_regular(path) as file:
                while part := file.read(1 << 20):
                    digest.update(part)
            self._hashes[identity] = digest.hexdigest()
        return self._hashes[identity]


def _of_config(path: Path) -> str:
    """The hash of what a config.json says about the answers; of a layout that is not ours, of the whole."""
    content = json.loads(read_text(path))
    if isinstance(content, dict) and content.get("library") == "resnet-lab":
        content = {name: content.get(name) for name in MEASURED}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
