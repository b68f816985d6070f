"""Bytes to a safe RGB picture: the one place where a picture that comes from outside is decoded."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

from PIL import Image, ImageOps

from resnet_demo.errors import PictureError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
MAX_BYTES = 20_000_000
MAX_PIXELS = 25_000_000


def decode(encoded: bytes) -> Image.Image:
    """The picture as RGB: turned as its EXIF entry says, transparency on white, the first frame of an animation.

    Raises:
        PictureError: not one of the formats, too large, or damaged.
    """
    if len(encoded) > MAX_BYTES:
        raise PictureError(_too_heavy(len(encoded)))
    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(encoded), formats=FORMATS) as picture:
            warnings.simplefilter("ignore")
            if picture.width * picture.height > MAX_PIXELS:
                raise PictureError(
                    f"The picture has {picture.width} × {picture.height} pixels; at most {MAX_PIXELS // 10**6} megapixels can be read."
                )
            picture.load()
            turned = ImageOps.exif_transpose(picture)
            return _to_rgb(turned)
    except PictureError:
        raise
    except Exception as error:  # Pillow raises a dozen kinds for damaged files
        raise PictureError(f"The file is not a picture that can be read ({', '.join(FORMATS)}), or it is damaged.") from error


def _to_rgb(picture: Image.Image) -> Image.Image:
    if picture.has_transparency_data:
        rgba = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return picture.convert("RGB")


def fit(picture: Image.Image, side: int) -> Image.Image:
    """The centred square of a picture, resized to side × side."""
    return ImageOps.fit(picture, (side, side), Image.Resampling.BILINEAR)


def read(path: Path) -> Image.Image:
    """The picture in a file, as `decode` gives it.

    Raises:
        PictureError: names the file, and says what is wrong with it.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise PictureError(_too_heavy(path.stat().st_size))
        return decode(path.read_bytes())
    except PictureError as error:
        raise PictureError(f"{path}: {error}") from error
    except OSError as error:
        raise PictureError(f"{path} cannot be read: {error.strerror}.") from error


def _too_heavy(size: int) -> str:
    return f"The file has {size / 1e6:.1f} MB; at most {MAX_BYTES // 10**6} MB can be read. Save it smaller."
