"""The whole table of kinds of pictures, good and bad, as bytes: one table for the decoder, the endpoint and the page."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable

import numpy
from PIL import Image

RED, GREEN, BLUE, WHITE, BLACK = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0)
Colour = tuple[int, int, int]


def encode(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def quarters(mode: str = "RGB", side: int = 16) -> Image.Image:
    """Red and green above, blue and white below."""
    picture = Image.new("RGB", (2 * side, 2 * side))
    for number, colour in enumerate((RED, GREEN, BLUE, WHITE)):
        left, top = number % 2 * side, number // 2 * side
        picture.paste(colour, (left, top, left + side, top + side))
    return picture.convert(mode)


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width: int, height: int, depth: int, colour_type: int, pixels: bytes, *extra: bytes) -> bytes:
    """A PNG by its specification, for the kinds that Pillow reads but does not write."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(pixels))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + data + chunk(b"IEND", b"")


def palette_with_transparency() -> bytes:
    picture = Image.new("P", (2, 1))
    picture.putpalette([*RED, *BLUE])
    picture.putdata([0, 1])
    return encode(picture, "PNG", transparency=bytes([255, 0]))


def animation(kind: str) -> bytes:
    return encode(
        Image.new("RGB", (8, 8), RED), kind, save_all=True, append_images=[Image.new("RGB", (8, 8), BLUE)], lossless=True
    )


ROWS = [RED, GREEN, BLUE, WHITE]
PICTURES: dict[str, tuple[Callable[[], bytes], list[Colour], int]] = {
    # kind: how it is made, the colours of its four quarters, how far off they may be
    "PNG": (lambda: encode(quarters(), "PNG"), ROWS, 0),
    "BMP": (lambda: encode(quarters(), "BMP"), ROWS, 0),
    "GIF": (lambda: encode(quarters(), "GIF"), ROWS, 0),
    "WEBP without loss": (lambda: encode(quarters(), "WEBP", lossless=True), ROWS, 0),
    "WEBP": (lambda: encode(quarters(), "WEBP", quality=95), ROWS, 12),
    "JPEG": (lambda: encode(quarters(), "JPEG", quality=95), ROWS, 6),
    "progressive JPEG": (lambda: encode(quarters(), "JPEG", quality=95, progressive=True), ROWS, 6),
    "CMYK JPEG": (lambda: encode(quarters("CMYK"), "JPEG", quality=95), ROWS, 8),
    "grey JPEG": (lambda: encode(Image.new("L", (8, 8), 77), "JPEG"), [(77, 77, 77)] * 4, 1),
    "grey PNG": (lambda: encode(Image.new("L", (8, 8), 77), "PNG"), [(77, 77, 77)] * 4, 0),
    "1-bit PNG": (lambda: png(2, 2, 1, 0, b"\0\x80\0\x40"), [WHITE, BLACK, BLACK, WHITE], 0),
    "1-bit BMP": (
        lambda: encode(quarters("L").point(lambda value: 255 * (value > 128)).convert("1"), "BMP"), [BLACK, WHITE, BLACK, WHITE], 0,
    ),
    "2-bit PNG": (lambda: png(2, 2, 2, 0, b"\0\x10\0\xb0"), [BLACK, (85, 85, 85), (170, 170, 170), WHITE], 0),
    "palette PNG": (lambda: encode(quarters("P"), "PNG"), ROWS, 0),
    "palette PNG with transparency": (palette_with_transparency, [RED, WHITE, RED, WHITE], 0),
    "grey PNG with a transparent grey": (
        lambda: png(2, 1, 8, 0, b"\0\x05\x06", chunk(b"tRNS", b"\0\x05")), [WHITE, (6, 6, 6)] * 2, 0,
    ),
    "RGB PNG with a transparent colour": (
        lambda: png(2, 1, 8, 2, b"\0\x0a\x14\x1e\x01\x02\x03", chunk(b"tRNS", b"\0\x0a\0\x14\0\x1e")), [WHITE, (1, 2, 3)] * 2, 0,
    ),
    "GIF with transparency": (lambda: encode(Image.new("RGBA", (8, 8), (0, 0, 0, 0)), "GIF"), [WHITE] * 4, 0),
    "RGBA PNG": (lambda: encode(Image.new("RGBA", (8, 8), (255, 0, 0, 128)), "PNG"), [(255, 127, 127)] * 4, 0),
    "RGBA WEBP": (lambda: encode(Image.new("RGBA", (8, 8), (0, 0, 255, 0)), "WEBP", lossless=True), [WHITE] * 4, 0),
    "LA PNG": (lambda: encode(Image.new("LA", (8, 8), (0, 51)), "PNG"), [(204, 204, 204)] * 4, 0),
    "16-bit grey PNG": (  # 257 · 10 is 10 of 255; Pillow alone would make all but the first white
        lambda: png(2, 2, 16, 0, b"\0" + struct.pack(">HH", 0, 2570) + b"\0" + struct.pack(">HH", 32896, 65535)),
        [BLACK, (10, 10, 10), (128, 128, 128), WHITE], 0,
    ),
    "16-bit grey PNG with a transparent grey": (
        lambda: png(2, 1, 16, 0, b"\0" + struct.pack(">HH", 1000, 2570), chunk(b"tRNS", struct.pack(">H", 1000))),
        [WHITE, (10, 10, 10)] * 2, 0,
    ),
    "16-bit RGB PNG": (
        lambda: png(2, 1, 16, 2, b"\0" + struct.pack(">6H", 65535, 0, 32896, 2570, 5140, 65535)), [(255, 0, 128), (10, 20, 255)] * 2, 0,
    ),
    "16-bit RGBA PNG": (lambda: png(1, 1, 16, 6, b"\0" + struct.pack(">4H", 0, 0, 0, 13107)), [(204, 204, 204)] * 4, 0),
    "16-bit LA PNG": (lambda: png(1, 1, 16, 4, b"\0" + struct.pack(">HH", 0, 13107)), [(204, 204, 204)] * 4, 0),
    "animated GIF": (lambda: animation("GIF"), [RED] * 4, 0),
    "animated WEBP": (lambda: animation("WEBP"), [RED] * 4, 0),
    "animated PNG": (lambda: animation("PNG"), [RED] * 4, 0),
    "one pixel": (lambda: encode(Image.new("RGB", (1, 1), GREEN), "PNG"), [GREEN] * 4, 0),
    "a picture with words behind its end": (lambda: encode(quarters(), "PNG") + b"and more", ROWS, 0),
    "damaged EXIF": (lambda: encode(quarters(), "PNG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff"), ROWS, 0),
}  # fmt: skip


def turned(orientation: int, kind: str) -> bytes:
    """An upright picture of 32×64 with the colours ROWS, stored as a camera does so that its EXIF entry brings it back."""
    stored = {  # EXIF 2.3: row 0 is …, column 0 is …
        1: [RED, GREEN, BLUE, WHITE],  # top, left
        2: [GREEN, RED, WHITE, BLUE],  # top, right
        3: [WHITE, BLUE, GREEN, RED],  # bottom, right
        4: [BLUE, WHITE, RED, GREEN],  # bottom, left
        5: [RED, BLUE, GREEN, WHITE],  # left, top
        6: [GREEN, WHITE, RED, BLUE],  # right, top
        7: [WHITE, GREEN, BLUE, RED],  # right, bottom
        8: [BLUE, RED, WHITE, GREEN],  # left, bottom
    }[orientation]
    size = (32, 64) if orientation < 5 else (64, 32)
    picture = Image.new("RGB", size)
    for number, colour in enumerate(stored):
        left, top = number % 2 * size[0] // 2, number // 2 * size[1] // 2
        picture.paste(colour, (left, top, left + size[0] // 2, top + size[1] // 2))
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encode(picture, kind, exif=exif, quality=95)


def cut(encoded: bytes) -> bytes:
    return encoded[: len(encoded) * 2 // 3]


def noise(kind: str) -> bytes:
    generator = numpy.random.default_rng(0)
    return encode(Image.fromarray(generator.integers(0, 256, (64, 64, 3), numpy.uint8)), kind)


REFUSED: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "empty"),
    "text": (lambda: b"Dear Sir or Madam, " * 10, "not a picture"),
    "a web page": (lambda: b"<html><script>alert(1)</script></html>", "not a picture"),
    "SVG": (lambda: b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not a picture"),
    "a format that is not read": (lambda: encode(quarters(), "TIFF"), "not a picture"),
    "a float TIFF": (lambda: encode(Image.new("F", (2, 2), 0.5), "TIFF"), "not a picture"),
    "a PNG's first bytes": (lambda: encode(quarters(), "PNG")[:20], "picture"),
    **{f"a {kind} cut short": (lambda kind=kind: cut(noise(kind)), "damaged") for kind in ("JPEG", "PNG", "GIF", "BMP")},  # type: ignore[misc]
    "a WEBP cut short": (lambda: cut(noise("WEBP")), "picture"),
    "a PNG with a flipped byte": (lambda: noise("PNG")[:2000] + b"\0\0\0" + noise("PNG")[2003:], "damaged"),
    "13000 × 13000 pixels": (lambda: png(13_000, 13_000, 1, 0, b""), "13000 × 13000 pixels; at most 25 megapixels"),
    "more than Pillow itself would open": (lambda: png(60_000, 60_000, 1, 0, b""), "at most 25 megapixels"),
    "a little more than 25 megapixels": (lambda: png(5000, 5001, 1, 0, b""), "5000 × 5001"),
    "no width": (lambda: png(0, 5, 8, 0, b""), "picture"),
    "21 MB": (lambda: bytes(21_000_000), "21.0 MB; at most 20 MB"),
}
