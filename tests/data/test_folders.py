"""A folder of pictures is listed once, and again when something in it has changed."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from resnet_demo.comparison import LabSettings
from resnet_demo.data import folders
from resnet_demo.data.folders import list_folder
from resnet_demo.errors import DataError
from resnet_demo.runs.forecast import forecast
from resnet_demo.runs.service import RunService
from tests.runs.stand_in import StandIn


@pytest.fixture
def folder(picture_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(picture_folder, tmp_path / "colours")


@pytest.fixture
def walks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The folders of a class that were walked."""
    seen: list[str] = []
    pictures = folders._pictures

    def watched(folder: Path, changed: dict[Path, int]) -> list[Path]:
        seen.append(folder.name)
        return pictures(folder, changed)

    monkeypatch.setattr(folders, "_pictures", watched)
    return seen


def test_what_a_page_asks_again_and_again_is_listed_once(folder: Path, walks: list[str], tmp_path: Path) -> None:
    laboratory = RunService(tmp_path / "home", StandIn())
    for _ in range(3):
        assert "epochs of 24 images" in forecast(laboratory, LabSettings(data=str(folder), batch=4)).text
    assert walks == ["blue", "green", "red"]


def test_who_asks_may_change_what_was_listed(folder: Path) -> None:
    first = list_folder(folder)
    first[1].clear()
    assert len(list_folder(folder)[1]) == 24


@pytest.mark.parametrize("change", ["a picture more", "a class more", "a deeper folder", "a picture less", "moved"])
def test_a_folder_that_changed_is_listed_anew(folder: Path, change: str) -> None:
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
