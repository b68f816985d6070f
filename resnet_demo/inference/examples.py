"""The pictures that ship, with their sources: test images of CIFAR-10, and freely licensed photographs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from resnet_demo import files
from resnet_demo.parsing import Frozen, parse

SOURCES = "sources.json"
FINGERPRINT = "fingerprint"
"""The key, in `info` of a picture, of the digest of its file."""


@dataclass(frozen=True)
class Example:
    """A picture that ships with the app.

    Args:
        path: its file.
        title: what it shows.
        source: who made it.
        licence: its terms of use.
        fingerprint: identifies the file, wherever it is copied to.
    """

    path: Path
    title: str
    source: str
    licence: str
    fingerprint: str

    @property
    def name(self) -> str:
        """The name in a link."""
        return self.path.stem


class SourceEntry(Frozen):
    """One picture in sources.json."""

    file: str
    title: str
    source: str
    licence: str


class Sources(Frozen):
    """The content of sources.json, in the order of the page."""

    pictures: tuple[SourceEntry, ...] = Field(strict=False)


def fingerprint(file: bytes) -> str:
    """A short digest of a file's bytes."""
    return hashlib.blake2b(file, digest_size=16).hexdigest()


def read_examples(folder: Path) -> tuple[Example, ...]:
    """The pictures that a folder's sources.json lists."""
    sources = parse(Sources, (folder / SOURCES).read_text(encoding="utf-8"))
    return tuple(
        Example(folder / entry.file, entry.title, entry.source, entry.licence, fingerprint((folder / entry.file).read_bytes()))
        for entry in sources.pictures
    )


EXAMPLE_PICTURES = read_examples(files.EXAMPLES)
"""The pictures that ship, those of CIFAR-10 first."""
