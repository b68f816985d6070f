from __future__ import annotations

from pathlib import Path

import pytest

from resnet_demo.data import numbered
from resnet_demo.errors import PictureError
from resnet_demo.inference.examples import fingerprint
from resnet_demo.web.numbered_pictures import copy, is_numbered, name_of


def test_a_copy_leads_back_to_its_number(picture_folder: Path, tmp_path: Path) -> None:
    allowed = ("bundled", str(picture_folder))
    for name in ("bundled:17", f"{picture_folder}:4"):
        assert is_numbered(name)
        path, digest = copy(name, allowed, tmp_path / "uploads")
        assert fingerprint(Path(path).read_bytes()) == digest
        assert name_of(path, digest, allowed) == name
        assert name_of(path, "another", allowed) == ""
    assert name_of("picture-7-1.png", "x", allowed) == name_of("cat.png", "x", allowed) == ""
    assert numbered.count("bundled") == 1000 and numbered.count(str(picture_folder)) == 6


@pytest.mark.parametrize("name", ["bundled:1000", "/etc:1", "cifar10:1", "bundled:99999999"])
def test_other_data_and_other_numbers_are_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(PictureError):
        copy(name, ("bundled",), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_names_of_examples_are_not_numbered() -> None:
    assert not any(map(is_numbered, ("cat", "own", "", "bundled:", "bundled:x")))


def test_a_copy_that_the_disk_does_not_take_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "uploads").write_text("")
    with pytest.raises(PictureError, match="cannot be copied"):
        copy("bundled:17", ("bundled",), tmp_path / "uploads")
