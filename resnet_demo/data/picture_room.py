"""How many pictures visitors may keep on the server, and for how long. No torch here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from resnet_demo.errors import DataError


@dataclass(frozen=True)
class PictureLimits:
    """Counts, bytes and seconds; SECURITY.md names them."""

    pictures: int = 600  # of one visitor
    bytes: int = 100_000_000  # of one visitor, with the copies for runs
    bytes_of_all: int = 2_000_000_000
    copies: int = 50  # of one visitor's set, for runs
    free: int = 500_000_000  # left on the disk
    idle: float = 3600
    age: float = 24 * 3600


LIMITS = PictureLimits()


class PictureRoom:
    """Counts what lies in the folders of all owners. Not safe to use from two threads: its owner has a lock.

    Args:
        folder: holds a folder for each owner.
        limits: that `check` enforces.
        free: returns the free bytes on the disk of a folder.
    """

    def __init__(self, folder: Path, limits: PictureLimits, free: Callable[[Path], int]) -> None:
        self._folder, self._limits, self._free = folder, limits, free
        self._sizes: dict[str, int] = {}

    def forget(self, owner: str) -> None:
        """Count an owner's files anew: they have changed."""
        self._sizes.pop(owner, None)

    def check(self, owner: str, count: int, size: int) -> None:
        """Check that an owner may have `count` pictures, `size` bytes of which are new.

        Raises:
            DataError: a limit is reached; the sentence says which one, and what to do.
        """
        self.check_count(count)
        if self._size(owner) + size > self._limits.bytes:
            raise self._full()
        self._folder.mkdir(parents=True, exist_ok=True)
        if sum(self._size(home.name) for home in self._folder.iterdir()) + size > self._limits.bytes_of_all:
            raise DataError(
                "This server has no room for more pictures now: come back in an hour, or tell whoever runs the app."
            )
        if self._free(self._folder) - size < self._limits.free:
            raise DataError("The server's disk is nearly full, so it keeps no more pictures. Tell whoever runs this app.")

    def check_count(self, count: int) -> None:
        """Check that one owner may have so many pictures. Raises DataError like `check`."""
        if count > self._limits.pictures:
            raise self._full()

    def check_copies(self, count: int) -> None:
        """Check that one owner may have so many copies for runs, whose names for files take room on the disk, too.

        Raises:
            DataError: the limit is reached.
        """
        if count > self._limits.copies:
            raise DataError(
                f"You have asked for runs on {self._limits.copies} versions of your pictures, which are kept for these runs: "
                "delete all of your pictures and give them again, or come back tomorrow."
            )

    def _size(self, owner: str) -> int:
        """Bytes of an owner's files; one that has several names counts once."""
        if owner not in self._sizes:
            statuses = [path.stat() for path in (self._folder / owner).rglob("*") if path.is_file()]
            self._sizes[owner] = sum({status.st_ino: status.st_size for status in statuses}.values())
        return self._sizes[owner]

    def _full(self) -> DataError:
        return DataError(
            f"That is too much: at most {self._limits.pictures} pictures and {self._limits.bytes // 10**6} MB are kept for one "
            "visitor. Remove some, or give fewer."
        )
