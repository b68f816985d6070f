"""ZIPs as people and attackers make them."""

from __future__ import annotations

import io
import stat
import zipfile

import numpy
from PIL import Image


def picture(seed: int, side: int = 40, form: str = "PNG") -> bytes:
    """A picture of noise."""
    pixels = numpy.random.default_rng(seed).integers(0, 256, (side, side, 3), numpy.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def pack(files: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP of these files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", compression) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def pack_link() -> bytes:
    """A ZIP with a symbolic link."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        link = zipfile.ZipInfo("cats/link.png")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    return packed.getvalue()


def with_flag(packed: bytes, flag: int = 1) -> bytes:
    """The ZIP with a bit set in the flags of its first entry, in both headers: 1 says that it is encrypted."""
    content = bytearray(packed)
    content[6] |= flag
    content[content.index(b"PK\x01\x02") + 8] |= flag
    return bytes(content)


def without_name(packed: bytes) -> bytes:
    """The ZIP with a name of no letter in its directory."""
    content = bytearray(packed)
    content[content.index(b"PK\x01\x02") + 46] = 0
    return bytes(content)


def far_away(packed: bytes) -> bytes:
    """The ZIP of one file, whose directory says in 64 bits (APPNOTE.TXT, section 4.5.3) that it lies beyond all memory."""
    content = bytearray(packed)
    directory, end = content.index(b"PK\x01\x02"), content.rindex(b"PK\x05\x06")
    content[directory + 42 : directory + 46] = bytes([255] * 4)
    content[directory + 30 : directory + 32] = (12).to_bytes(2, "little")
    content[end + 12 : end + 16] = (end - directory + 12).to_bytes(4, "little")
    content[end:end] = bytes([1, 0, 8, 0] + [255] * 8)
    return bytes(content)


def lying_about_size(name: str, content: bytes, claim: int) -> bytes:
    """A ZIP whose headers claim another size of the one file that it holds."""
    packed = bytearray(pack({name: content}))
    directory = packed.index(b"PK\x01\x02")
    packed[22:26] = packed[directory + 24 : directory + 28] = claim.to_bytes(4, "little")
    return bytes(packed)
