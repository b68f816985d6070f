from __future__ import annotations

import io
import os
import zipfile
from pathlib import Path

import numpy
import pytest

from resnet_demo.config import ModelConfig
from resnet_demo.evaluation.measurement import About, Measurement, columns
from resnet_demo.evaluation.stored_predictions import StoredPredictions, to_bytes
from tests.data.archives import with_flag

ABOUT = About(
    data="letters", split="all", view="one view", device="cpu, fp32", classes=("a", "b"),
    architecture=ModelConfig.named("resnet8", classes=2),
)  # fmt: skip


def measurement(pictures: int = 3) -> Measurement:
    labels = numpy.arange(pictures, dtype=numpy.int32) % 2
    confidence = numpy.linspace(0.5, 1, pictures, dtype=numpy.float32)
    return Measurement(ABOUT, labels, numpy.zeros_like(labels), confidence, confidence / 2, numpy.ones(pictures, bool))


def one_array() -> bytes:
    """A file of NumPy's that is no archive."""
    file = io.BytesIO()
    numpy.save(file, numpy.ones(3, numpy.float32))
    return file.getvalue()


def with_right(content: bytes) -> bytes:
    """The file of a measurement, one of whose arrays has another content."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(to_bytes("k", measurement()))) as whole, zipfile.ZipFile(file, "w") as changed:
        for name in whole.namelist():
            changed.writestr(name, content if name == "right.npy" else whole.read(name))
    return file.getvalue()


@pytest.fixture
def stored(tmp_path: Path) -> StoredPredictions:
    return StoredPredictions(tmp_path / "evaluations")


def test_what_is_kept_comes_back_to_the_last_bit(stored: StoredPredictions) -> None:
    assert stored.get("k") is None
    stored.put("k", measurement())
    loaded = stored.get("k")
    assert loaded is not None and loaded.about == ABOUT
    for name, array in columns(measurement()).items():
        assert numpy.array_equal(getattr(loaded, name), array) and getattr(loaded, name).dtype == array.dtype


@pytest.mark.parametrize(
    "damage", ["empty", "cut", "flipped", "another key", "no archive", "a class too many", "one array", "no array", "a shape"]
)
def test_a_damaged_file_is_ignored_and_replaced(stored: StoredPredictions, damage: str) -> None:
    whole = to_bytes("k", measurement())
    wrong = measurement()
    wrong.labels[0] = 2
    stored.put("k", measurement())
    (stored.folder / "k.npz").write_bytes(
        {
            "empty": b"",
            "cut": whole[: len(whole) // 2],
            "flipped": whole[:200] + bytes([whole[200] ^ 255]) + whole[201:],
            "another key": to_bytes("other", measurement()),
            "no archive": b"not an archive",
            "a class too many": to_bytes("k", wrong),
            "one array": one_array(),
            "no array": with_right(b"no array"),
            "a shape": with_right(one_array().replace(b"(3,), }" + b" " * 14, b"(100000000000000,), }")),
        }[damage]
    )
    assert stored.get("k") is None
    stored.put("k", measurement())
    assert stored.get("k") is not None


def test_the_least_recently_used_answers_go_where_there_is_no_room(tmp_path: Path) -> None:
    size = len(to_bytes("0", measurement(500)))
    stored = StoredPredictions(tmp_path, max_bytes=int(2.5 * size))
    for number in range(2):
        stored.put(str(number), measurement(500))
        os.utime(tmp_path / f"{number}.npz", (number, number))
    assert stored.get("0") is not None  # used now: 1 is the oldest
    stored.put("2", measurement(500))
    assert sorted(path.stem for path in tmp_path.glob("*.npz")) == ["0", "2"]


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    StoredPredictions(tmp_path / "file").put("k", measurement())


def test_a_file_whose_flag_says_that_it_is_encrypted_is_ignored(stored: StoredPredictions) -> None:
    stored.put("k", measurement())
    (stored.folder / "k.npz").write_bytes(with_flag(to_bytes("k", measurement())))
    assert stored.get("k") is None
