"""The classes and pictures of one visitor, without a disk."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from resnet_demo.data.picture_set import (
    CLASSES,
    DECODING_SECONDS,
    PictureClass,
    PictureSet,
    StoredPicture,
    left_out,
    prepare,
    prepare_archive,
)
from resnet_demo.errors import DataError, PictureError, SettingError
from tests.data.archives import pack, picture

TWO = PictureSet().with_class("Mug").with_class("Straße")


def names(state: PictureSet) -> list[str]:
    return [each.name for each in state.classes]


def test_classes_are_added_renamed_and_removed() -> None:
    assert names(TWO.with_new_class()) == ["Mug", "Straße", "Class 1"]
    assert names(TWO.renamed("mug", "My  cup ")) == ["My cup", "Straße"]
    assert names(TWO.without_class("Mug")) == ["Straße"]
    assert names(TWO.renamed("Mug", "mug")) == ["mug", "Straße"]


@pytest.mark.parametrize("name", ["Mug", "MUG", " mug ", "STRASSE", "ｍｕｇ"])
def test_two_classes_never_have_the_same_name_to_a_person(name: str) -> None:
    with pytest.raises(SettingError, match="There is a class"):
        TWO.with_new_class(name)
    assert TWO.with_class(name) == TWO
    if name != "STRASSE":
        with pytest.raises(SettingError, match="There is a class"):
            TWO.renamed("Straße", name)


@pytest.mark.parametrize("name", ["", " ", "a/b", "..", ".hidden", "x" * 41, "a\x00b", "a\u202eb", "C:", "a\nb\x1b", "who?"])
def test_a_class_has_a_name_that_a_folder_can_have(name: str) -> None:
    with pytest.raises(SettingError):
        TWO.renamed("Mug", name)


def test_there_are_not_too_many_classes() -> None:
    state = PictureSet()
    for _ in range(CLASSES):
        state = state.with_new_class()
    with pytest.raises(SettingError, match="at most 20"):
        state.with_new_class()


def test_a_set_with_a_class_of_one_picture_or_none_cannot_be_trained_on() -> None:
    with pytest.raises(DataError, match="at least two classes"):
        PictureSet().with_class("Mug").check_trainable()
    with pytest.raises(DataError, match="'Mug' has no picture"):
        TWO.check_trainable()
    state = TWO
    for number, name in enumerate(("Mug", "Mug", "Straße", "Straße")):
        if number == 3:
            with pytest.raises(DataError, match="'Straße' has one picture"):
                state.check_trainable()
        state = state.with_picture(name, StoredPicture(file=f"{number}", name="x"))
    state.check_trainable()
    assert state.class_of == {"0": "Mug", "1": "Mug", "2": "Straße", "3": "Straße"}
    assert state.without_picture("1").classes[0] == PictureClass(name="Mug", pictures=(StoredPicture(file="0", name="x"),))


def test_a_picture_is_written_anew_as_a_small_square_without_its_metadata() -> None:
    large = Image.effect_noise((1000, 600), 50).convert("RGB")
    exif = Image.Exif()
    exif[0x010F] = "a camera's name"
    file = io.BytesIO()
    large.save(file, "JPEG", exif=exif)
    prepared = prepare("cats", "a\x1b[31m.jpg", file.getvalue() + b"a hidden tail")
    stored = Image.open(io.BytesIO(prepared.content))
    assert (stored.size, stored.format, len(stored.getexif())) == ((448, 448), "JPEG", 0)
    assert b"tail" not in prepared.content and b"camera" not in prepared.content
    assert prepared.name == "a?[31m.jpg"


def test_the_pixels_name_a_picture_whatever_its_file() -> None:
    as_png, as_bmp = (prepare("cats", form, picture(1, form=form)) for form in ("PNG", "BMP"))
    assert as_png.file == as_bmp.file != prepare("cats", "other", picture(2)).file
    assert Image.open(io.BytesIO(as_png.content)).tobytes() == Image.open(io.BytesIO(picture(1))).tobytes()


@pytest.mark.parametrize("content", [b"", b"not a picture", picture(1)[:200]])
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(PictureError):
        prepare("cats", "a.png", content)


def test_a_sentence_counts_pictures_and_names_some() -> None:
    assert left_out([], "cannot be read") == []
    assert left_out(["a.png"], "cannot be read") == ["a.png cannot be read."]
    assert left_out(list("abcde"), "cannot be read") == ["5 pictures: a, b, c and 2 more. Each cannot be read."]


def test_a_small_zip_of_huge_pictures_is_given_up_after_a_minute_of_work() -> None:
    seconds = iter((0.0, 1.0, DECODING_SECONDS + 1.0))
    files = {f"cats/{number}.png": picture(number) for number in range(3)}
    with pytest.raises(DataError, match="too long to decode"):
        prepare_archive("", pack(files), lambda: next(seconds))
