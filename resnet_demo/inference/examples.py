"""The pictures that ship, with their sources: test images of CIFAR-10, and freely licensed photographs."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from resnet_demo.files import EXAMPLES
from resnet_demo.parsing import Frozen, parse

SOURCES = "sources.json"
FINGERPRINT = "fingerprint"
"""In `info` of a picture: the digest of the file that it came in."""


@dataclass(frozen=True)
class Example:
    """A picture that ships: its file, a title, where it comes from, and under which licence."""

    path: Path
    title: str
    source: str
    licence: str

    @property
    def name(self) -> str:
        """What a link calls it."""
        return self.path.stem

    @functools.cached_property
    def fingerprint(self) -> str:
        """By which its file is known again, wherever it was copied to."""
        return fingerprint(self.path.read_bytes())


class _Entry(Frozen):
    """One picture in sources.json."""

    file: str
    title: str
    source: str
    licence: str


class Sources(Frozen):
    """The content of sources.json, in the order in which the pictures are shown."""

    pictures: tuple[_Entry, ...] = Field(strict=False)


def fingerprint(file: bytes) -> str:
    """A short digest of a file's bytes."""
    return hashlib.blake2b(file, digest_size=16).hexdigest()


@functools.cache
def examples() -> tuple[Example, ...]:
    """The pictures that ship, those of CIFAR-10 first."""
    listed = parse(Sources, (EXAMPLES / SOURCES).read_text(encoding="utf-8"))
    return tuple(Example(EXAMPLES / entry.file, entry.title, entry.source, entry.licence) for entry in listed.pictures)
