"""A ZIP of pictures from outside, whose folders are classes. Nothing of it is written to the disk. No torch here.

Every name is checked before the first file is read, and what is read is counted: a header may claim any size.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import PurePosixPath

from resnet_demo.data.folders import PICTURE_SUFFIXES, TEST_FOLDERS
from resnet_demo.data.image import MAX_BYTES
from resnet_demo.errors import DataError

MAGIC = (b"PK\x03\x04", b"PK\x05\x06")
DIRECTORY_ENTRY = b"PK\x01\x02"
ENCRYPTED, UTF_8 = 0x1, 0x800  # APPNOTE.TXT, section 4.4.4, bits 0 and 11
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # Python's readers of the others unpack without a limit

DAMAGE = (
    zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError,
    IndexError,  # a name of no letter
    OverflowError,  # a place in the file of 64 bits
)  # fmt: skip
"""What Python's reader raises for damaged archives."""


@dataclass(frozen=True)
class ArchiveLimits:
    """The largest ZIP that is read; SECURITY.md names the numbers."""

    entries: int = 1_000
    bytes_of_file: int = MAX_BYTES
    bytes: int = 300_000_000  # unpacked


@dataclass(frozen=True)
class ArchivedPicture:
    """A file of the archive: its class, which is empty for a file that lies in no folder, its name, and its content."""

    label: str
    name: str
    content: bytes


def is_archive(content: bytes) -> bool:
    """Whether bytes begin as a ZIP does."""
    return content.startswith(MAGIC)


def read_archive(content: bytes, limits: ArchiveLimits = ArchiveLimits()) -> Iterator[ArchivedPicture]:
    """The pictures of a ZIP, by their names' endings; other files are left out.

    Folders around all pictures, and `train` and `test` below them, are no classes; the next folder is the class.

    Raises:
        DataError: it is not a ZIP, is damaged or encrypted, has names that lead out of it, links, or more than the limits.
    """
    if content.count(DIRECTORY_ENTRY) > 2 * limits.entries:  # before Python makes an object of each
        raise _too_many(limits)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = [entry for entry in archive.infolist() if not entry.is_dir()]
            _check(entries, limits)
            pictures = [(entry, path) for entry in entries if _is_picture(path := _path_of(entry))]
            labels = labels_of([path for _, path in pictures])
            total = 0
            for (entry, path), label in zip(pictures, labels, strict=True):
                with archive.open(entry) as file:
                    unpacked = file.read(limits.bytes_of_file + 1)
                total += len(unpacked)
                if len(unpacked) > limits.bytes_of_file or total > limits.bytes:
                    raise _too_large(limits)
                yield ArchivedPicture(label, path.name, unpacked)
    except DAMAGE as error:
        raise DataError("The ZIP is damaged or cut short: pack it again.") from error


def labels_of(paths: list[PurePosixPath]) -> list[str]:
    """The class of each picture of a folder, from its path; empty for a picture that lies in no folder."""
    folders = [path.parts[:-1] for path in paths]
    while _have_folder_below(folders) and len({parts[0] for parts in folders}) == 1:
        folders = [parts[1:] for parts in folders]
    if _have_folder_below(folders) and {parts[0].lower() for parts in folders} <= {"train", *TEST_FOLDERS}:
        folders = [parts[1:] for parts in folders]
    return [parts[0] if parts else "" for parts in folders]


def _have_folder_below(folders: list[tuple[str, ...]]) -> bool:
    return bool(folders) and all(len(parts) > 1 for parts in folders)


def _check(entries: list[zipfile.ZipInfo], limits: ArchiveLimits) -> None:
    """Refuse an archive that its directory alone shows to be hostile or too large."""
    if len(entries) > limits.entries:
        raise _too_many(limits)
    for entry in entries:
        parts = entry.filename.replace("\\", "/").split("/")
        if ".." in parts or parts[0] == "" or ":" in parts[0]:
            raise DataError(f"The ZIP holds a name that leads out of it ({entry.filename[:60]!a}), so none of it is read.")
        if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
            raise DataError(f"The ZIP holds a link or a device ({entry.filename[:60]!a}), so none of it is read.")
        if entry.flag_bits & ENCRYPTED:
            raise DataError("The ZIP is encrypted: pack it again without a password.")
        if entry.compress_type not in METHODS:
            raise DataError("The ZIP is packed in an unusual way: pack it again as an ordinary ZIP (deflate).")
    if sum(entry.file_size for entry in entries) > limits.bytes or any(e.file_size > limits.bytes_of_file for e in entries):
        raise _too_large(limits)


def _path_of(entry: zipfile.ZipInfo) -> PurePosixPath:
    """The name of an entry: macOS packs UTF-8 without the flag that says so, PowerShell 5 packs backslashes."""
    name = entry.filename
    if not entry.flag_bits & UTF_8:
        with suppress(UnicodeError):
            name = name.encode("cp437").decode()
    return PurePosixPath(name.replace("\\", "/"))


def _is_picture(path: PurePosixPath) -> bool:
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not hidden and path.suffix.lower() in PICTURE_SUFFIXES


def _too_many(limits: ArchiveLimits) -> DataError:
    return DataError(f"The ZIP holds too many files: at most {limits.entries:,} are read. Pack fewer pictures.")


def _too_large(limits: ArchiveLimits) -> DataError:
    return DataError(
        f"The ZIP unpacks to too much: at most {limits.bytes // 10**6} MB in all, and {limits.bytes_of_file // 10**6} MB for one "
        "file. Pack fewer or smaller pictures."
    )
