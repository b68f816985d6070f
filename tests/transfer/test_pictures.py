"""Which pictures are learned from, set aside and tested; what is wrong with a folder is said in a sentence."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from resnet_demo.config import DataConfig
from resnet_demo.data import dataset
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import DataError
from resnet_demo.transfer import pictures
from resnet_demo.transfer.pictures import TransferData
from resnet_demo.transfer.split import class_counts, held_out_counts, limited_counts
from tests.conftest import write_pictures


def load(folder: Path | str, **changes: object) -> TransferData:
    config = DataConfig(source=str(folder), **changes)  # type: ignore[arg-type]
    return pictures.load(config, 0.2, Preprocessing(image_size=16, resize=16), dataset.load)


def test_counts_of_a_limit_and_of_a_validation_part() -> None:
    assert limited_counts([10, 3, 5], 0) == (10, 3, 5)
    assert limited_counts([10, 3, 5], 8) == (3, 3, 2)
    assert limited_counts([10, 3, 5], 2) == (1, 1, 1)
    assert held_out_counts([10, 4, 3, 2, 1], 0.2) == (2, 1, 1, 0, 0)
    assert held_out_counts([10, 4], 0.0) == (0, 0)


def test_the_parts_of_a_folder_share_no_picture_and_have_every_class(picture_folder: Path) -> None:
    data = load(picture_folder, train_limit=12)
    assert class_counts(str(picture_folder), 12) == (4, 4, 4)
    assert [part.labels.bincount().tolist() for part in (data.train, data.validation, data.test)] == [[3] * 3, [1] * 3, [2] * 3]
    digests = [*data.train.digests, *data.validation.digests, *data.test.digests]
    assert len(set(digests)) == len(digests) == 18
    assert data.train.crops([0, 5]).shape == (2, 3, 16, 16)
    blue = data.train.crops(torch.nonzero(data.train.labels == 0).flatten().tolist()).float().mean((0, 2, 3))
    assert blue.argmax() == 2


def test_the_bundled_part_has_equally_many_of_each_class() -> None:
    data = load("bundled", train_limit=50, test_limit=20)
    assert data.train.labels.bincount().tolist() == [4] * 10
    assert data.test.labels.bincount().tolist() == [2] * 10


def test_a_picture_in_two_classes_is_refused(picture_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(picture_folder, tmp_path / "data")
    shutil.copy(tmp_path / "data" / "red" / "000.png", tmp_path / "data" / "green" / "copy.png")
    with pytest.raises(DataError, match=r"are the same picture, in the classes 'red' and 'green'"):
        load(tmp_path / "data")


def test_an_unreadable_file_is_named_or_left_out(picture_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(picture_folder, tmp_path / "data")
    (tmp_path / "data" / "red" / "0001.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"0001\.png"):
        load(tmp_path / "data").train.crops(range(20))
    assert load(tmp_path / "data", skip_unreadable=True).skipped == ("red/0001.png",)


def test_two_pictures_a_class_are_learned_from_and_tested(tmp_path: Path) -> None:
    for name, colour in (("red", (200, 40, 40)), ("green", (40, 200, 40))):
        write_pictures(tmp_path / name, colour, 2)
    data = load(tmp_path)
    assert [len(part) for part in (data.train, data.validation, data.test)] == [2, 0, 2]
