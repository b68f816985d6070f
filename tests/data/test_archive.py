"""ZIPs from outside."""

from __future__ import annotations

import zipfile
from pathlib import PurePosixPath

import pytest

from resnet_demo.data.archive import ArchiveLimits, labels_of, read_archive
from resnet_demo.errors import DataError
from tests.data.archives import far_away, lying_about_size, pack, pack_link, picture, with_flag, without_name

CAT = picture(1)


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["cats/a.png", "ships/b.png"], ["cats", "ships"]),
        (["my set/cats/a.png", "my set/ships/b.png"], ["cats", "ships"]),
        (["set/train/cats/a.png", "set/test/cats/b.png", "set/train/ships/c.png"], ["cats", "cats", "ships"]),
        (["cats/a.png", "cats/b.png"], ["cats", "cats"]),
        (["cats/2023/a.png", "ships/b.png"], ["cats", "ships"]),
        (["a.png", "cats/b.png"], ["", "cats"]),
        (["train/a.png", "cars/b.png"], ["train", "cars"]),
    ],
)
def test_the_folders_of_a_zip_are_its_classes(names: list[str], labels: list[str]) -> None:
    assert labels_of([PurePosixPath(name) for name in names]) == labels


def test_only_pictures_are_read_and_what_a_mac_adds_is_left_out() -> None:
    files = {
        "s/cats/a.png": CAT,
        "s/cats/._a.png": b"x",
        "__MACOSX/s/cats/a.png": b"x",
        "s/notes.txt": b"x",
        "s/ships/b.JPG": CAT,
    }
    pictures = list(read_archive(pack(files)))
    assert [(each.label, each.name) for each in pictures] == [("cats", "a.png"), ("ships", "b.JPG")]
    assert pictures[0].content == CAT


SMALL = ArchiveLimits(entries=5, bytes_of_file=10_000, bytes=25_000)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (pack({"../out.png": CAT}), "leads out of it"),
        (pack({"cats/../../out.png": CAT}), "leads out of it"),
        (pack({"/etc/out.png": CAT}), "leads out of it"),
        (pack({"cats\\..\\..\\out.png": CAT}), "leads out of it"),
        (pack({"C:/out.png": CAT}), "leads out of it"),
        (pack_link(), "a link or a device"),
        (with_flag(pack({"cats/a.png": CAT})), "encrypted"),
        (pack({"cats/a.png": CAT}, zipfile.ZIP_BZIP2), "unusual way"),
        (pack({f"cats/{number}.png": b"x" for number in range(6)}), "too many files: at most 5"),
        (pack({f"cats/{number}.png": b"x" for number in range(60)}), "too many files: at most 5"),
        (pack({"cats/bomb.png": bytes(10_001)}), "unpacks to too much"),
        (pack({f"cats/{number}.png": bytes(9_000) for number in range(3)}), "unpacks to too much"),
        (lying_about_size("cats/bomb.png", bytes(10_000_000), 500), "damaged"),
        (pack({"cats/a.png": CAT})[:-40], "damaged"),
        (b"PK\x03\x04 and nothing more", "damaged"),
        (without_name(pack({"cats/a.png": CAT})), "damaged"),
        (far_away(pack({"cats/a.png": CAT})), "damaged"),
        (pack({"cats/a.png": CAT}).replace(CAT[50:90], CAT[90:130]), "damaged"),
    ],
)  # fmt: skip
def test_a_hostile_zip_is_refused_in_one_sentence(content: bytes, words: str) -> None:
    with pytest.raises(DataError, match=words) as error:
        list(read_archive(content, SMALL))
    assert str(error.value).endswith(".") and len(str(error.value)) < 200


def test_the_names_that_windows_and_macs_pack_name_classes_too() -> None:
    """PowerShell 5 packs backslashes; macOS packs UTF-8 without the flag that says so."""
    mac = bytearray(pack({"set/Bl\u00fcten/a.png": CAT}))
    for flags in (7, mac.index(b"PK\x01\x02") + 9):
        mac[flags] &= ~8
    for content in (bytes(mac), pack({"set\\Bl\u00fcten\\a.png": CAT, "set\\ships\\b.png": CAT})):
        first = next(read_archive(content))
        assert (first.label, first.name) == ("Bl\u00fcten", "a.png")
