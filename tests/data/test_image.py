from __future__ import annotations

import base64
import io
import re
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote_from_bytes

import numpy
import pytest
from PIL import Image

from resnet_demo.data.image import MAX_BYTES, decode, decode_data_url, formats, read, to_rgb
from resnet_demo.errors import PictureError

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


def corners(picture: Image.Image) -> list[Colour]:
    """The colours in the middle of the four quarters: above left, above right, below left, below right."""
    width, height = picture.size
    return [picture.getpixel((x, y)) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]  # type: ignore[misc]


def assert_near(found: list[Colour], wanted: list[Colour], tolerance: int) -> None:
    worst = numpy.abs(numpy.array(found, int) - numpy.array(wanted, int)).max()
    assert worst <= tolerance, f"{found} is not {wanted}"


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


@pytest.mark.parametrize("kind", PICTURES)
def test_every_kind_of_picture_gives_its_colours_as_rgb(kind: str) -> None:
    make, wanted, tolerance = PICTURES[kind]
    picture = decode(make())
    assert picture.mode == "RGB"
    assert_near(corners(picture), wanted, tolerance)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_exif_orientations_stand_upright(orientation: int, kind: str) -> None:
    # How a camera stores an upright picture so that this orientation brings it back (EXIF 2.3): row 0 is …, column 0 is …
    stored = {
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
    decoded = decode(encode(picture, kind, exif=exif, quality=95))
    assert decoded.size == (32, 64)
    assert_near(corners(decoded), ROWS, 0 if kind == "PNG" else 12)


def test_heic_from_a_phone_is_read_and_turned() -> None:
    pytest.importorskip("pillow_heif")
    assert "HEIF" in formats()
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = quarters(side=32)
    assert_near(corners(decode(encode(picture, "HEIF", quality=95))), ROWS, 12)
    turned = decode(encode(picture, "HEIF", quality=95, exif=exif.tobytes()))
    assert_near(corners(turned), [BLUE, RED, WHITE, GREEN], 12)


DEEP = numpy.array([[0, 1], [2, 4]])
MODES: dict[str, tuple[Image.Image, list[Colour]]] = {
    "1": (Image.new("1", (2, 2), 1), [WHITE] * 4),
    "HSV": (Image.new("HSV", (2, 2), (0, 255, 255)), [RED] * 4),
    "YCbCr": (Image.new("YCbCr", (2, 2), (255, 128, 128)), [WHITE] * 4),
    "La": (Image.new("LA", (2, 2), (0, 51)).convert("La"), [(204, 204, 204)] * 4),
    "RGBa": (Image.new("RGBA", (2, 2), (0, 0, 0, 51)).convert("RGBa"), [(204, 204, 204)] * 4),
    "PA": (Image.new("RGBA", (2, 2), (0, 0, 0, 51)).convert("PA"), [(204, 204, 204)] * 4),
    "I within a byte": (Image.fromarray((DEEP * 50).astype(numpy.int32)), [BLACK, (50, 50, 50), (100, 100, 100), (200, 200, 200)]),
    "I within 16 bits": (Image.fromarray((DEEP * 257 * 50).astype(numpy.int32)), [BLACK, (50, 50, 50), (100, 100, 100), (200, 200, 200)]),
    "I beyond": (Image.fromarray((DEEP * 30_000).astype(numpy.int32)), [BLACK, (117, 117, 117), (233, 233, 233), WHITE]),
    "F within one": (Image.fromarray((DEEP / 4).astype(numpy.float32)), [BLACK, (64, 64, 64), (128, 128, 128), WHITE]),
    "F within a byte": (Image.fromarray((DEEP * 50).astype(numpy.float32)), [BLACK, (50, 50, 50), (100, 100, 100), (200, 200, 200)]),
    "F negative": (Image.fromarray((DEEP / 4 - 0.5).astype(numpy.float32)), [BLACK, BLACK, BLACK, (128, 128, 128)]),
    "F not a number": (Image.fromarray(numpy.array([[numpy.nan, 1], [0, numpy.inf]], numpy.float32)), [BLACK, BLACK, BLACK, WHITE]),
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_of_pillow_becomes_rgb(mode: str) -> None:
    picture, wanted = MODES[mode]
    found = to_rgb(picture)
    assert found.mode == "RGB"
    assert_near([found.getpixel((x, y)) for y in range(2) for x in range(2)], wanted, 0)  # type: ignore[misc]


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


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("kind", REFUSED)
def test_everything_else_gets_one_clear_sentence(kind: str) -> None:
    make, words = REFUSED[kind]
    with pytest.raises(PictureError, match=re.escape(words)) as raised:
        decode(make())
    assert str(raised.value).endswith(".")
    assert "\n" not in str(raised.value)


def test_bytes_that_make_pillow_raise_anything_are_refused_or_read_but_never_crash() -> None:
    generator = numpy.random.default_rng(0)
    refused = 0
    for kind in ("JPEG", "PNG", "WEBP", "GIF", "BMP"):
        whole = numpy.frombuffer(noise(kind), numpy.uint8)
        for _ in range(60):
            damaged = whole.copy()
            places = generator.integers(0, min(len(damaged), 400), 4)
            damaged[places] = generator.integers(0, 256, 4)
            try:
                assert decode(damaged.tobytes()).mode == "RGB"
            except PictureError as error:
                refused += 1
                assert str(error).endswith(".")
    assert 100 < refused < 300  # most are refused, and not all


def test_a_picture_of_exactly_25_megapixels_is_read() -> None:
    assert decode(encode(Image.new("1", (5000, 5000), 1), "PNG")).getpixel((4999, 4999)) == WHITE


def test_a_data_url_is_read_whatever_media_type_it_claims() -> None:
    encoded = encode(quarters(), "PNG")
    based = base64.b64encode(encoded).decode()
    for text in (
        f"data:image/png;base64,{based}",
        f"data:image/jpeg;charset=x;base64,{based}",
        f"DATA:text/plain;BASE64,{quote_from_bytes(based.encode())}",
        f"data:,{quote_from_bytes(encoded)}",
    ):
        assert corners(decode_data_url(text)) == ROWS


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a picture"),
        ("http://example.org/cat.png", "not a picture"),
        ("data:image/png;base64", "not a picture"),
        ("data:image/png;base64,", "empty"),
        ("data:image/png;base64,iVBORw0KGgo", "base64"),
        ("data:image/png;base64,ééé", "base64"),
        ("data:image/png;base64,\ud800", "base64"),
        ("data:image/png;base64,aGVsbG8=", "not a picture"),
        ("data:," + "a" * (3 * MAX_BYTES + 1), "at most 20 MB"),
    ],
)
def test_other_urls_get_one_clear_sentence(text: str, words: str) -> None:
    with pytest.raises(PictureError, match=words):
        decode_data_url(text)


def test_a_lying_name_does_not_matter_and_a_refused_file_is_named(tmp_path: Path) -> None:
    liar = tmp_path / "holiday.gif"
    liar.write_bytes(encode(quarters(), "PNG"))
    assert corners(read(liar)) == ROWS
    for path, words in (
        (tmp_path / "absent.png", "no such file"),
        (tmp_path, "no such file"),
        (tmp_path / ("x" * 300), "cannot be read|no such file"),
        (tmp_path / "a\0b.png", "cannot be read|no such file"),
    ):
        with pytest.raises(PictureError, match=words) as raised:
            read(path)
        assert str(raised.value).startswith(str(path))


MEMORY = """
import sys
from pathlib import Path
from PIL import Image
from resnet_demo.data.image import decode, read
from resnet_demo.errors import PictureError

def peak():  # getrusage's figure would be the parent's, which a child inherits; this one starts anew
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) * 1024

for path in sys.argv[1:]:
    Path(path).read_bytes()
rest = peak()
for path in sys.argv[1:]:
    try:
        read(Path(path))
    except PictureError:
        continue
    sys.exit(f"{path} was not refused")
print(peak() - rest)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_refused_files_cost_less_than_100_mb(tmp_path: Path) -> None:
    rows = zlib.compress(bytes(13_000 * 39_001), 1)  # 507 MB of black pixels in 2 MB
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 13_000, 13_000, 8, 2, 0, 0, 0))
    (tmp_path / "large.png").write_bytes(b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", rows) + chunk(b"IEND", b""))
    del rows
    flat = Image.new("RGB", (5000, 5000), BLUE)
    (tmp_path / "cut.jpg").write_bytes(encode(flat, "JPEG", progressive=True, subsampling=0)[:-3000])
    (tmp_path / "cut.png").write_bytes(encode(flat, "PNG")[:-3000])
    (tmp_path / "large.gif").write_bytes(encode(Image.new("P", (8000, 8000)), "GIF"))
    (tmp_path / "large.webp").write_bytes(encode(Image.new("RGB", (6000, 6000)), "WEBP", quality=0, method=0))
    files = sorted(str(path) for path in tmp_path.iterdir())
    done = subprocess.run([sys.executable, "-c", MEMORY, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 100_000_000
