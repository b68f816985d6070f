"""A folder of pictures is listed, or only counted, as it is now."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from resnet_demo.comparison import LabSettings
from resnet_demo.data import folders
from resnet_demo.data.folders import count_folder, list_folder
from resnet_demo.errors import DataError
from resnet_demo.runs.forecast import forecast
from resnet_demo.runs.service import RunService
from tests.runs.stand_in import StandIn


@pytest.fixture
def folder(picture_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(picture_folder, tmp_path / "colours")


def test_a_forecast_counts_the_pictures_and_lists_none(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    laboratory = RunService(tmp_path / "home", StandIn())
    monkeypatch.setattr(folders, "_files", None)
    for _ in range(3):
        assert "epochs of 24 images" in forecast(laboratory, LabSettings(data=str(folder), batch=4)).text


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("count", range(2, 12))
def test_the_count_is_the_length_of_the_list(tmp_path: Path, count: int, split: bool) -> None:
    for name in ("a", "b"):
        files = [tmp_path / "train" / name / f"{number}.PNG" for number in range(count)] if split else []
        files += [tmp_path / ("test" if split else "") / name / "deeper" / f"{number}.jpg" for number in range(count)]
        for file in (*files, files[0].with_name(".hidden.jpg"), files[0].with_name("notes.txt")):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
    classes, train, test = list_folder(tmp_path)
    assert count_folder(tmp_path) == (classes, len(train)) == (("a", "b"), len(train))
    assert len(train) + len(test) == 2 * count * (2 if split else 1)
    assert train and test


@pytest.mark.parametrize("change", ["a picture more", "a class more", "a deeper folder", "a picture less", "moved"])
def test_a_folder_that_changed_is_listed_and_counted_anew(folder: Path, change: str) -> None:
    (folder / "red" / "deeper").mkdir()
    for part in (folder, *folder.iterdir(), folder / "red" / "deeper"):
        os.utime(part, (1, 1))  # so that a change shows however coarse the clock of the disk
    before = list_folder(folder)
    picture = folder / "red" / "000.png"
    match change:
        case "a picture more":
            shutil.copy(picture, folder / "red" / "zzz.png")
        case "a class more":
            shutil.copytree(folder / "blue", folder / "yellow")
        case "a deeper folder":
            shutil.copy(picture, folder / "red" / "deeper" / "one.png")
        case "a picture less":
            picture.unlink()
        case "moved":
            folder.rename(folder.parent / "elsewhere")
            with pytest.raises(DataError, match="There is no data set"):
                list_folder(folder)
            return
    pictures = {"a picture more": 31, "a class more": 40, "a deeper folder": 31, "a picture less": 29}
    after = list_folder(folder)
    assert len(before[1]) + len(before[2]) == 30
    assert len(after[1]) + len(after[2]) == pictures[change]
    assert count_folder(folder) == (after[0], len(after[1]))


def test_a_folder_that_may_not_be_read_is_refused_in_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(path: str, *_: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", forbidden)  # as the system does, whoever runs the tests
    with pytest.raises(DataError, match=r"/blue cannot be read: Permission denied\."):
        list_folder(folder)


@pytest.mark.parametrize("name", ["\x1b[31mred", "\u202ered", "\x7f", "\udcff", " "])
def test_a_folder_whose_name_steers_a_terminal_is_refused(folder: Path, name: str) -> None:
    (folder / "red").rename(folder / name)
    with pytest.raises(DataError, match=r"cannot name a class: the name of a class .*\. Rename it\.$") as raised:
        list_folder(folder)
    assert str(raised.value).isprintable()


def test_where_a_visitor_s_pictures_were_is_told_to_nobody(tmp_path: Path) -> None:
    """Everybody who watches a run reads why it failed."""
    folder = tmp_path / "pictures" / "ab12" / ("0" * 16) / "own pictures"
    with pytest.raises(DataError, match="no longer kept") as error:
        list_folder(folder)
    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize("read", [list_folder, count_folder])
@pytest.mark.parametrize("step", range(1, 4))
def test_a_visitor_s_pictures_that_are_deleted_while_they_are_read_are_gone_in_the_same_sentence(
    picture_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Callable[[Path], object], step: int
) -> None:
    folder = tmp_path / "pictures" / "ab12" / ("0" * 16) / "own pictures"
    shutil.copytree(picture_folder, folder / "train")
    names, calls = folders._names, itertools.count(1)

    def delete_before(place: Path) -> Iterator[tuple[str, str]]:
        if next(calls) == step:
            shutil.rmtree(folder if step < 3 else place)  # the last step finds all but one class
        return names(place)

    monkeypatch.setattr(folders, "_names", delete_before)
    with pytest.raises(DataError) as error:
        read(folder)
    assert str(error.value) == folders.DELETED_PICTURES
