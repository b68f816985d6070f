from __future__ import annotations

import base64
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from urllib.parse import quote_from_bytes

import numpy
import pytest
from PIL import Image

from resnet_demo.data.image import FORMATS, MAX_BYTES, decode, decode_data_url, read, to_rgb
from resnet_demo.errors import PictureError
from tests.pictures import (
    BLACK,
    BLUE,
    GREEN,
    PICTURES,
    RED,
    REFUSED,
    ROWS,
    WHITE,
    Colour,
    chunk,
    encode,
    noise,
    quarters,
    turned,
)


def corners(picture: Image.Image) -> list[Colour]:
    """The colours in the middle of the four quarters: above left, above right, below left, below right."""
    width, height = picture.size
    return [picture.getpixel((x, y)) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]  # type: ignore[misc]


def assert_near(found: list[Colour], wanted: list[Colour], tolerance: int) -> None:
    worst = numpy.abs(numpy.array(found, int) - numpy.array(wanted, int)).max()
    assert worst <= tolerance, f"{found} is not {wanted}"


@pytest.mark.parametrize("kind", PICTURES)
def test_every_kind_of_picture_gives_its_colours_as_rgb(kind: str) -> None:
    make, wanted, tolerance = PICTURES[kind]
    picture = decode(make())
    assert picture.mode == "RGB"
    assert_near(corners(picture), wanted, tolerance)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_all_eight_exif_orientations_stand_upright(orientation: int, kind: str) -> None:
    decoded = decode(turned(orientation, kind))
    assert decoded.size == (32, 64)
    assert_near(corners(decoded), ROWS, 0 if kind == "PNG" else 12)


def test_heic_from_a_phone_is_read_and_turned() -> None:
    pytest.importorskip("pillow_heif")
    assert "HEIF" in FORMATS
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
        (tmp_path, "not a regular file"),
        (tmp_path / ("x" * 300), "cannot be read|no such file"),
        (tmp_path / "a\0b.png", "cannot be read|no such file"),
    ):
        with pytest.raises(PictureError, match=words) as raised:
            read(path)
        assert str(raised.value).startswith(str(path))


def camera(kind: str = "JPEG", **options: object) -> bytes:
    """54 megapixels, lying on their side as a phone stores a picture that was taken upright."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return encode(quarters().resize((9000, 6000), Image.Resampling.NEAREST), kind, exif=exif.tobytes(), quality=60, **options)


@pytest.mark.parametrize("kind", ["JPEG", "MPO"])
def test_a_phone_s_54_megapixels_are_read_at_half_their_size_and_stand_upright(kind: str) -> None:
    more = {"save_all": True, "append_images": [Image.new("RGB", (8, 8))]} if kind == "MPO" else {}
    decoded = decode(camera(kind, **more))
    assert decoded.size == (3000, 4500)
    assert_near(corners(decoded), [BLUE, RED, WHITE, GREEN], 12)


def test_a_large_jpeg_that_libjpeg_keeps_in_memory_whole_and_one_beyond_80_megapixels_are_refused() -> None:
    with pytest.raises(PictureError, match="9000 × 6000 pixels; at most 25 megapixels"):
        decode(camera(progressive=True))
    with pytest.raises(PictureError, match="9000 × 9000 pixels; at most 25 megapixels"):
        decode(encode(Image.new("L", (9000, 9000)), "JPEG"))


MEMORY = """
import sys
from pathlib import Path
from PIL import Image
from resnet_demo.data.image import decode, read
from resnet_demo.errors import PictureError
from tests.pictures import BLACK, BLUE, GREEN, PICTURES, RED, REFUSED, ROWS, WHITE, Colour, chunk, encode, noise, png, quarters, turned

def peak():  # getrusage's figure would be the parent's, which a child inherits; this one starts anew
    return int(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")).split()[1]) * 1024

wanted = sys.argv.pop(1)
for path in sys.argv[1:]:
    Path(path).read_bytes()
rest = peak()
for path in sys.argv[1:]:
    try:
        read(Path(path))
        outcome = "read"
    except PictureError:
        outcome = "refused"
    if outcome != wanted:
        sys.exit(f"{path} was {outcome}")
print(peak() - rest)
"""


def peak_memory(outcome: str, *files: str) -> int:
    """Bytes that reading (or refusing) the files takes at most, in a process of its own."""
    done = subprocess.run([sys.executable, "-c", MEMORY, outcome, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


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
    assert peak_memory("refused", *files) < 100_000_000


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_a_phone_s_54_megapixels_cost_no_more_than_25_from_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "phone.jpg").write_bytes(camera(subsampling=0))
    (tmp_path / "largest.jpg").write_bytes(encode(Image.new("RGB", (5000, 5000), BLUE), "JPEG"))
    phone, largest = (peak_memory("read", str(tmp_path / name)) for name in ("phone.jpg", "largest.jpg"))
    assert phone < largest < 250_000_000
