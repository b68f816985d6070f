from __future__ import annotations

from pathlib import Path

import pytest
import torch

from resnet_demo.config import DataConfig
from resnet_demo.data import dataset
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import DataError
from resnet_demo.evaluation import testset


def test_the_bundled_part_is_its_thousand_test_images() -> None:
    pictures = testset.load("bundled")
    assert torch.equal(pictures.labels.bincount(), torch.full((10,), 100))
    batches = list(pictures.batches(Preprocessing()))
    assert [len(batch) for batch in batches] == [250] * 4
    assert torch.equal(torch.cat(batches), dataset.load(DataConfig()).test.images)  # the bytes that training measures


@pytest.mark.cifar10
def test_cifar10_is_its_ten_thousand_test_images() -> None:
    pictures = testset.load("cifar10")
    assert torch.equal(pictures.labels.bincount(), torch.full((10,), 1000))


def test_the_test_part_of_a_folder_is_every_fifth_picture(picture_folder: Path) -> None:
    pictures = testset.load(str(picture_folder))
    assert pictures.classes == ("blue", "green", "red")
    assert pictures.labels.tolist() == [0, 0, 1, 1, 2, 2]
    preprocessing = Preprocessing(image_size=24, resize=28, interpolation="bicubic")
    (batch,) = pictures.batches(preprocessing)
    assert batch.shape == (6, 3, 24, 24)
    for images, channel in ((batch[:2], 2), (batch[2:4], 1), (batch[4:], 0)):
        assert (images.float().mean((0, 2, 3)).argmax()) == channel


def test_pictures_go_through_the_model_s_own_preprocessing(picture_folder: Path) -> None:
    pictures = testset.load(str(picture_folder))
    preprocessing = Preprocessing(image_size=16, resize=20)
    (batch,) = pictures.batches(preprocessing)
    mean, std = torch.tensor(preprocessing.mean).view(3, 1, 1), torch.tensor(preprocessing.std).view(3, 1, 1)
    torch.testing.assert_close((batch[3] / 255 - mean) / std, preprocessing(pictures.picture(3))[0])


def test_a_file_that_is_no_picture_is_named(picture_folder: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for number in range(5):
            (tmp_path / name / f"{number}.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"a/4\.png: "):
        list(testset.load(str(tmp_path)).batches(Preprocessing()))


def test_data_that_is_not_there_is_refused() -> None:
    with pytest.raises(DataError, match="There is no data set 'nowhere'"):
        testset.load("nowhere")


def pictures_of(*classes: str) -> testset.TestSet:
    return testset.TestSet("letters", classes, torch.tensor([0, 1, 2, 2]), lambda _: pytest.fail("no picture is needed"))


def test_labels_follow_the_model_s_order_of_the_classes() -> None:
    pictures = pictures_of("a", "b", "c")
    assert testset.in_order_of(("a", "b", "c"), pictures, "M").tolist() == [0, 1, 2, 2]
    assert testset.in_order_of(("c", "a", "b"), pictures, "M").tolist() == [1, 2, 0, 0]


def test_other_classes_are_refused_with_both_sides_named() -> None:
    with pytest.raises(
        DataError, match=r"M was trained on other classes than those of letters: it knows 2 \(a, x\); the data has 3"
    ):
        testset.in_order_of(("a", "x"), pictures_of("a", "b", "c"), "M")


def test_classes_of_one_name_are_refused_where_their_order_is_unknown() -> None:
    with pytest.raises(DataError, match="several classes of one name"):
        testset.in_order_of(("a", "b", "b"), pictures_of("a", "b", "c"), "M")


def test_pictures_of_the_model_s_size_come_straight_from_memory_and_are_equal_to_the_last_bit() -> None:
    pictures = testset.load("bundled")
    assert pictures.pixels is not None
    straight = torch.cat(list(pictures.batches(Preprocessing())))
    decoded = testset.TestSet(pictures.name, pictures.classes, pictures.labels, pictures.picture)
    assert torch.equal(straight, torch.cat(list(decoded.batches(Preprocessing()))))


def test_a_part_of_the_model_s_classes_is_enough() -> None:
    assert testset.in_order_of(("x", "c", "a", "y", "b"), pictures_of("a", "b", "c"), "M").tolist() == [2, 4, 1, 1]


def test_wordnet_ids_are_in_torchvision_s_order_and_a_part_of_them_cannot_be_mapped() -> None:
    ids = tuple(f"n{number:08}" for number in range(1000))
    pictures = testset.TestSet("ImageNet", ids, torch.tensor([0, 999]), lambda _: pytest.fail("no picture is needed"))
    assert testset.in_order_of(tuple(map(str, range(1000))), pictures, "M").tolist() == [0, 999]
    with pytest.raises(DataError, match="named by wordnet ids, which M has no names for: give all 1,000 folders"):
        testset.in_order_of(tuple("ab"), pictures_of(*ids[:3]), "M")


@pytest.mark.parametrize("name", ["test", "val", "valid"])
def test_a_folder_of_test_pictures_alone_is_measured_whole(picture_folder: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / name).symlink_to(picture_folder)
    assert len(testset.load(str(tmp_path)).labels) == len(testset.load(str(tmp_path / name)).labels) == 30
    assert testset.load(str(tmp_path)).split == "the folder of test pictures"
