"""Bytes to a safe RGB picture: the only decoder of pictures from outside.

The bytes decide the format, not the name of a file or the media type of a URL. The size is checked before a pixel is
decoded, so that a small file that unpacks to gigabytes costs nothing.
"""

from __future__ import annotations

import base64
import binascii
import io
import os
import struct
from pathlib import Path
from urllib.parse import unquote_to_bytes

import numpy
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from resnet_demo.errors import PictureError
from resnet_demo.files import open_regular

try:
    from pillow_heif import register_heif_opener

    register_heif_opener()
    HEIF: tuple[str, ...] = ("HEIF",)
except ImportError:
    HEIF = ()

JPEGS = ("JPEG", "MPO")  # MPO: a JPEG with a second picture behind the first, as some phones write it
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", *HEIF)
"""The formats that can be read. HEIF, which phones call HEIC, needs the package pillow-heif."""

MAX_BYTES = 20_000_000
MAX_PIXELS = 25_000_000
MAX_CAMERA_PIXELS = 80_000_000
"""A larger JPEG, as a phone's camera writes it, is decoded at half its width and height, which costs no more memory."""

_DAMAGED = "The picture is damaged or cut short; save it again, as JPEG or PNG."
_ORIENTATION = 0x0112
_TURNS = {  # EXIF 2.3, tag Orientation: how the stored picture must be turned to stand upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def decode(encoded: bytes) -> Image.Image:
    """The picture as RGB: upright according to its EXIF entry, transparency on white, the first frame of an animation.

    Its `format` is that of the file. A JPEG of 25 to 80 megapixels has half of its width and height.

    Raises:
        PictureError: not one of the formats, too large, or damaged.
    """
    if len(encoded) > MAX_BYTES:
        raise PictureError(_too_heavy(len(encoded)))
    if not encoded:
        raise PictureError("The file is empty.")
    try:
        with Image.open(io.BytesIO(encoded), formats=FORMATS) as picture:
            if picture.width * picture.height > MAX_PIXELS and not _halve(picture, encoded):
                raise PictureError(_too_large(f"{picture.width} × {picture.height}"))
            if _is_cut_short(picture.format, encoded):
                raise PictureError(_DAMAGED)
            picture.load()
            rgb = to_rgb(_upright(picture))
            rgb.format = picture.format
            return rgb
    except PictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:  # Pillow's own, far higher limits
        raise PictureError(_too_large("hundreds of millions of")) from error
    except UnidentifiedImageError as error:
        raise PictureError(
            f"The file is not a picture of a kind that can be read ({', '.join(FORMATS)}); save it as JPEG or PNG."
        ) from error
    except Exception as error:  # for damaged files Pillow raises a dozen kinds, of no common class
        raise PictureError(_DAMAGED) from error


def decode_data_url(text: str) -> Image.Image:
    """The picture in a `data:` URL, base64 or percent-encoded, like `decode`. The media type is ignored.

    Raises:
        PictureError: not such a URL, or a picture that `decode` refuses.
    """
    header, comma, content = text.partition(",")
    header = header.strip().lower()
    if not header.startswith("data:") or not comma:
        raise PictureError("The text is not a picture: expected a data: URL such as data:image/png;base64,….")
    if len(content) > 3 * MAX_BYTES:  # the most that percent-encoding adds
        raise PictureError(_too_heavy(len(content)))
    try:
        plain = unquote_to_bytes(content)
        return decode(base64.b64decode(plain, validate=True) if header.endswith(";base64") else plain)
    except (binascii.Error, UnicodeEncodeError) as error:
        raise PictureError("The data: URL is cut short or not valid base64; copy it again.") from error


def read(path: Path) -> Image.Image:
    """The picture in a file, like `decode`.

    Raises:
        PictureError: the message names the file and the error.
    """
    try:
        return decode(read_encoded(path))
    except PictureError as error:
        raise PictureError(f"{path}: {error}") from error
    except FileNotFoundError as error:
        raise PictureError(f"{path}: There is no such file.") from error
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise PictureError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error


def read_encoded(path: Path) -> bytes:
    """The bytes of a picture's file, for `decode`: of a regular file only, and never more than `decode` takes.

    Raises:
        PictureError: the file is too large.
        OSError: it cannot be read, or is not a regular file.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_BYTES:
            raise PictureError(_too_heavy(size))
        return file.read(MAX_BYTES + 1)  # what /proc says of a file's size may be wrong


def to_rgb(picture: Image.Image) -> Image.Image:
    """A loaded picture of any of Pillow's modes as RGB: transparency on white, deeper greys scaled to bytes.

    Pillow itself clips 16-bit, integer and float greys at 255. A 16-bit grey is divided by 257. The greys of the
    modes I and F have no range of their own: it is taken to be 0..1 (F only), 0..255 or 0..65535, the smallest that
    holds the largest value; not-a-number counts as 0.
    """
    if picture.mode in ("I", "F") or picture.mode.startswith("I;16"):
        return _from_deep_grey(picture)
    if not picture.has_transparency_data:
        return picture.convert("RGB")
    straight = picture.convert("LA") if picture.mode == "La" else picture  # of La, Pillow converts to nothing else
    rgba = straight.convert("RGBA")
    white = Image.new("RGB", rgba.size, "white")
    white.paste(rgba, mask=rgba.getchannel("A"))
    return white


def _from_deep_grey(picture: Image.Image) -> Image.Image:
    values = numpy.nan_to_num(numpy.asarray(picture).astype(numpy.float64), nan=0.0)
    if picture.mode.startswith("I;16"):
        limit = 65535.0
    else:
        limits = (1.0, 255.0, 65535.0) if picture.mode == "F" else (255.0, 65535.0)
        limit = next((limit for limit in limits if values.max(initial=0.0) <= limit), 65535.0)
    grey: NDArray[numpy.uint8] = numpy.clip(values * (255 / limit), 0, 255).round().astype(numpy.uint8)
    key = picture.info.get("transparency")
    if isinstance(key, int):  # PNG's one transparent grey
        grey[values == key] = 255
    return Image.fromarray(grey).convert("RGB")


def _upright(picture: Image.Image) -> Image.Image:
    try:
        turn = _TURNS.get(picture.getexif().get(_ORIENTATION, 1))
    except Exception:  # damaged EXIF raises many kinds of errors, but the picture may be whole
        turn = None
    return picture if turn is None else picture.transpose(turn)


def _halve(picture: Image.Image, encoded: bytes) -> bool:
    """Decode a large JPEG at half its size, if that is possible within the memory that smaller pictures take."""
    size = picture.width * picture.height
    if picture.format not in JPEGS or size > MAX_CAMERA_PIXELS or not _has_one_scan(encoded):
        return False
    return picture.draft(None, (picture.width // 2, picture.height // 2)) is not None


def _has_one_scan(encoded: bytes) -> bool:
    """Whether a JPEG is decoded row by row: of several scans, libjpeg keeps the whole picture, six bytes a pixel.

    ITU-T T.81, section B.2: a baseline or extended frame (SOF0, SOF1) whose first scan (SOS) has all its components.
    """
    components, position = 0, 2
    while position + 10 <= len(encoded) and encoded[position] == 0xFF:
        marker, length = struct.unpack_from(">xBH", encoded, position)
        if marker in (0xC0, 0xC1):
            components = encoded[position + 9]
        elif marker == 0xDA:
            return components == encoded[position + 4]
        position += 2 + length
    return False


def _is_cut_short(kind: str | None, encoded: bytes) -> bool:
    """Whether a JPEG or PNG has no end. Pillow detects it only after decoding, which takes 100 MB for 25 megapixels."""
    if kind in JPEGS:
        return b"\xff\xd9" not in encoded  # the marker EOI
    name, position = b"", 8
    while kind == "PNG" and position + 8 <= len(encoded):
        length, name = struct.unpack_from(">I4s", encoded, position)
        position += 12 + length  # length, name, content, checksum
    return name == b"IDAT" and position > len(encoded)


def _too_heavy(size: int) -> str:
    return f"The file has {size / 1e6:.1f} MB; at most {MAX_BYTES // 10**6} MB can be read. Save it smaller."


def _too_large(size: str) -> str:
    limits = f"{MAX_PIXELS // 10**6} megapixels can be read ({MAX_CAMERA_PIXELS // 10**6} of a JPEG that is not progressive)"
    return f"The picture has {size} pixels; at most {limits}. Save it smaller."


def fit(picture: Image.Image, side: int) -> Image.Image:
    """The centred square of a picture, resized to side × side."""
    return ImageOps.fit(picture, (side, side), Image.Resampling.BILINEAR)
