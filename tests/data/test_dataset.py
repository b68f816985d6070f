"""Data sets: the real CIFAR-10, folders of pictures, and what is refused."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path
from typing import Any

import numpy
import pyarrow
import pyarrow.parquet
import pytest
import torch
from PIL import Image

from resnet_demo.config import DataConfig
from resnet_demo.data.dataset import CIFAR10_CLASSES, Dataset, load, read_cifar10
from resnet_demo.errors import DataError


def save(path: Path, colour: tuple[int, int, int] = (10, 20, 30), size: tuple[int, int] = (6, 6)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def folder(path: Path, **changes: Any) -> Dataset:
    return load(DataConfig(source=str(path), image_size=changes.pop("image_size", 16), **changes))


# --- A folder of pictures -----------------------------------------------------------------------------


def test_classes_are_the_folders_names_sorted(picture_folder: Path) -> None:
    data = folder(picture_folder)
    assert data.name == "colours"
    assert data.classes == ("blue", "green", "red")
    brightest = data.test.images.float().mean((2, 3)).argmax(1)  # of red, green, blue
    assert [2 - channel for channel in brightest.tolist()] == data.test.labels.tolist()


def test_without_a_test_folder_every_fifth_picture_is_a_test_picture(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for number in range(12):
            save(tmp_path / name / f"{number:02}.png", (10 * number, 0, 0))
    data = folder(tmp_path)
    assert data.test.images[:, 0, 0, 0].tolist() == [40, 90] * 2  # the fifth and the tenth
    assert (len(data.train), data.train.labels.tolist()) == (20, [0] * 10 + [1] * 10)


@pytest.mark.parametrize(("pictures", "tested"), [(2, 1), (3, 1), (4, 1), (5, 1), (9, 1), (10, 2)])
def test_a_class_of_few_pictures_still_has_one_to_test(tmp_path: Path, pictures: int, tested: int) -> None:
    for name in ("a", "b"):
        for number in range(pictures):
            save(tmp_path / name / f"{number:02}.png")
    data = folder(tmp_path)
    assert torch.bincount(data.test.labels).tolist() == [tested] * 2
    assert torch.bincount(data.train.labels).tolist() == [pictures - tested] * 2


@pytest.mark.parametrize("test_name", ["test", "val", "valid"])
def test_train_and_test_folders_are_kept_apart(tmp_path: Path, test_name: str) -> None:
    for name, label in (("cat", 0), ("dog", 1)):
        for number in range(6):
            save(tmp_path / "train" / name / f"{number}.png", (100, label, 0))
        for number in range(3):
            save(tmp_path / test_name / name / f"{number}.png", (200, label, 0))
    data = folder(tmp_path)
    assert (len(data.train), len(data.test)) == (12, 6)
    assert set(data.train.images[:, 0].unique().tolist()) == {100}
    assert set(data.test.images[:, 0].unique().tolist()) == {200}
    for part in (data.train, data.test):
        assert torch.equal(part.images[:, 1, 0, 0].long(), part.labels)


def test_pictures_of_any_size_become_squares_of_the_asked_size(tmp_path: Path) -> None:
    save(tmp_path / "a" / "1.png", size=(40, 20))
    save(tmp_path / "a" / "2.jpg", size=(7, 90))
    save(tmp_path / "b" / "deeper" / "1.png", size=(300, 301))
    save(tmp_path / "b" / "2.bmp", size=(1, 1))
    (tmp_path / "a" / "notes.txt").write_text("not a picture, and not taken for one")
    (tmp_path / ".hidden").mkdir()
    data = folder(tmp_path, image_size=32)
    assert data.classes == ("a", "b")
    assert data.train.images.shape == data.test.images.shape == (2, 3, 32, 32)


def test_a_missing_folder_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"There is no data set '.*nowhere': say bundled, cifar10, or the path"):
        folder(tmp_path / "nowhere")


def test_one_class_is_not_enough(tmp_path: Path) -> None:
    save(tmp_path / "only" / "1.png")
    with pytest.raises(DataError, match=r"at least two folders of pictures.* it has 1"):
        folder(tmp_path)


def test_a_class_with_one_picture_is_refused_by_name(tmp_path: Path) -> None:
    for name in ("1", "2"):
        save(tmp_path / "many" / f"{name}.png")
    save(tmp_path / "few" / "1.png")
    with pytest.raises(DataError, match=r"Class 'few' .* at least two pictures; it has 1"):
        folder(tmp_path)


def test_files_that_are_no_pictures_are_counted_and_named(picture_folder: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        for number in range(3):
            save(tmp_path / name / f"{number}.png")
    (tmp_path / "a" / "broken.png").write_bytes(b"no picture")
    (tmp_path / "b" / "empty.jpg").write_bytes(b"")
    with pytest.raises(DataError, match=r"^\d of \d files cannot be used\. .*(broken\.png|empty\.jpg).* --skip-unreadable"):
        folder(tmp_path)


def test_a_pipe_among_the_pictures_is_refused_by_name_and_not_waited_for(tmp_path: Path) -> None:
    for name in ("a", "b"):
        for number in range(3):
            save(tmp_path / name / f"{number}.png")
    os.mkfifo(tmp_path / "a" / "pipe.png")
    (tmp_path / "b" / "zero.png").symlink_to("/dev/zero")
    for refused in (r"pipe\.png cannot be read: it is not a regular file\.", r"zero\.png cannot be read: it is not a regular"):
        with pytest.raises(DataError, match=refused):
            folder(tmp_path)


def test_files_that_are_no_pictures_are_left_out_on_request_and_named(picture_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(picture_folder, tmp_path / "colours")
    whole = folder(tmp_path / "colours")
    for name in ("blue/000.png", "red/004.png"):  # a training and a test picture
        (tmp_path / "colours" / name).write_bytes(b"no picture")
    data = folder(tmp_path / "colours", skip_unreadable=True)
    assert data.skipped == ("blue/000.png", "red/004.png")
    assert (len(data.train), len(data.test)) == (len(whole.train) - 1, len(whole.test) - 1)
    assert torch.equal(data.train.images, whole.train.images[1:])
    assert torch.equal(data.train.labels, whole.train.labels[1:])


def test_a_class_of_which_no_picture_can_be_read_is_named(tmp_path: Path) -> None:
    for number in range(5):
        save(tmp_path / "good" / f"{number}.png")
        save(tmp_path / "bad" / f"{number}.png")
        (tmp_path / "bad" / f"{number}.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"Class 'bad' of .* has no training picture that can be read"):
        folder(tmp_path, skip_unreadable=True)


# --- What is set aside --------------------------------------------------------------------------------


def test_the_last_training_images_are_held_out_and_take_the_test_images_place() -> None:
    whole, parted = load(DataConfig()), load(DataConfig(held_out=500))
    assert (len(parted.train), len(parted.test)) == (3500, 500)
    assert torch.equal(parted.train.images, whole.train.images[:3500])
    assert torch.equal(parted.test.images, whole.train.images[3500:])
    assert torch.equal(parted.test.labels, whole.train.labels[3500:])


def test_more_than_there_is_cannot_be_held_out() -> None:
    with pytest.raises(DataError, match="has 4000 training images; 4000 cannot be held out"):
        load(DataConfig(held_out=4000))


def test_limits_take_the_first_images() -> None:
    whole, limited = load(DataConfig()), load(DataConfig(train_limit=70, test_limit=30))
    assert torch.equal(limited.train.images, whole.train.images[:70])
    assert torch.equal(limited.test.labels, whole.test.labels[:30])


def test_mean_and_deviation_are_those_of_the_training_images_used() -> None:
    data = load(DataConfig(held_out=1000, train_limit=200))
    pixels = data.train.images.double() / 255
    assert data.mean == pytest.approx(pixels.mean((0, 2, 3)).tolist(), abs=1e-6)
    assert data.std == pytest.approx(pixels.std((0, 2, 3), correction=0).tolist(), abs=1e-6)


# --- CIFAR-10 -----------------------------------------------------------------------------------------


def test_half_size_pictures_are_the_means_of_what_they_show() -> None:
    """Antialiased bilinear at half size is a weighting (1, 3, 3, 1) / 8 in each direction, away from the edges."""
    whole, half = load(DataConfig(test_limit=20)), load(DataConfig(test_limit=20, image_size=16))
    assert half.train.images.shape == (4000, 3, 16, 16)
    assert half.train.images.dtype == torch.uint8
    weights = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    picture = whole.test.images[7, 1].float()
    for row, column in ((1, 1), (8, 5), (14, 14)):
        window = picture[2 * row - 1 : 2 * row + 3, 2 * column - 1 : 2 * column + 3]
        assert abs(float(weights @ window @ weights) - float(half.test.images[7, 1, row, column])) <= 0.51


def test_a_file_that_is_not_in_the_hubs_layout_is_refused(tmp_path: Path) -> None:
    (tmp_path / "torn.parquet").write_bytes(b"PAR1 and nothing more")
    pyarrow.parquet.write_table(pyarrow.table({"picture": [1]}), tmp_path / "other.parquet")
    encoded = io.BytesIO()
    Image.fromarray(numpy.zeros((32, 32, 3), numpy.uint8)).save(encoded, "PNG")
    rows = [{"bytes": encoded.getvalue(), "path": ""}, {"bytes": b"no picture", "path": ""}]
    pyarrow.parquet.write_table(pyarrow.table({"img": rows, "label": [0, 1]}), tmp_path / "damaged.parquet")
    for name in ("torn", "other", "damaged", "missing"):
        with pytest.raises(DataError, match=rf"{name}\.parquet is not a CIFAR-10 file in the Hub's layout"):
            read_cifar10(tmp_path / f"{name}.parquet")


@pytest.mark.cifar10
def test_the_real_set_is_whole_and_has_the_known_statistics(real_cifar10: Dataset) -> None:
    """Mean and deviation are those that published recipes use: 0.4914, 0.4822, 0.4465 and 0.2470, 0.2435, 0.2616."""
    data = real_cifar10
    assert data.classes == CIFAR10_CLASSES
    assert data.train.images.shape == (50_000, 3, 32, 32)
    assert data.test.images.shape == (10_000, 3, 32, 32)
    assert torch.bincount(data.train.labels).tolist() == [5000] * 10
    assert torch.bincount(data.test.labels).tolist() == [1000] * 10
    assert [round(value, 4) for value in data.mean] == [0.4914, 0.4822, 0.4465]
    assert [round(value, 4) for value in data.std] == [0.2470, 0.2435, 0.2616]
