"""A visitor's pictures, sorted into classes of the visitor's own. Nothing here reads or writes a file. No torch here.

picture_store.py keeps such sets on the disk.
"""

from __future__ import annotations

import hashlib
import io
import time
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from pydantic import Field

from resnet_demo.data.archive import read_archive
from resnet_demo.data.image import decode, fit
from resnet_demo.errors import DataError, PictureError, SettingError
from resnet_demo.parsing import Frozen, check_class_name

CLASSES = 20
CLASS_NAME = 40  # letters
FORBIDDEN = frozenset('/\\:*?"<>|')  # in the name of a folder, on one system or another
SIDE = 448  # pixels; a network looks at 224
LOSSLESS_SIDE = 96  # smaller pictures show every loss
DECODING_SECONDS = 60  # of one ZIP: a thousand pictures of one colour are a small file and take a quarter of an hour
NAMED = 3  # pictures that one sentence names


class StoredPicture(Frozen):
    """A picture of a set: its file, which the pixels name, and what its owner called it."""

    file: str
    name: str


class PictureClass(Frozen):
    """A class and its pictures, in the order in which they came."""

    name: str
    pictures: tuple[StoredPicture, ...] = Field((), strict=False)


class PictureSet(Frozen):
    """The classes of one owner. Two have never the same name, and no picture is there twice.

    Every change returns a new set, and raises a SettingError where there is no such class or the name is not allowed.
    """

    classes: tuple[PictureClass, ...] = Field((), strict=False)
    created: float = 0  # seconds since the epoch

    @property
    def class_of(self) -> dict[str, str]:
        """The name of the class of each file."""
        return {picture.file: each.name for each in self.classes for picture in each.pictures}

    def place(self, name: str) -> int:
        """The index of the class of that name, whatever its case; -1 if there is none."""
        return next((place for place, each in enumerate(self.classes) if _key(each.name) == _key(name)), -1)

    def with_class(self, name: str) -> PictureSet:
        """The set with a class of that name; unchanged if there is one."""
        if self.place(name) >= 0:
            return self
        if len(self.classes) >= CLASSES:
            raise SettingError(f"There can be at most {CLASSES} classes: remove one first.")
        return self._with((*self.classes, PictureClass(name=clean_class_name(name))))

    def with_new_class(self, name: str = "") -> PictureSet:
        """The set with one more class; without a name, it gets a number."""
        name = name or next(f"Class {number}" for number in range(1, CLASSES + 2) if self.place(f"Class {number}") < 0)
        if self.place(name) >= 0:
            raise _taken(name)
        return self.with_class(name)

    def renamed(self, name: str, new_name: str) -> PictureSet:
        """The set with another name for a class."""
        place, new_name = self._existing(name), clean_class_name(new_name)
        if self.place(new_name) not in (-1, place):
            raise _taken(new_name)
        return self._replaced(place, PictureClass(name=new_name, pictures=self.classes[place].pictures))

    def without_class(self, name: str) -> PictureSet:
        """The set without a class and its pictures."""
        place = self._existing(name)
        return self._with(self.classes[:place] + self.classes[place + 1 :])

    def with_picture(self, label: str, picture: StoredPicture) -> PictureSet:
        """The set with a picture that it does not have yet, in a class that may be new."""
        changed = self.with_class(label)
        each = changed.classes[changed.place(label)]
        return changed._replaced(changed.place(label), PictureClass(name=each.name, pictures=(*each.pictures, picture)))

    def without_picture(self, file: str) -> PictureSet:
        """The set without a picture; unchanged if it is not there."""
        return self._with(
            PictureClass(name=each.name, pictures=tuple(picture for picture in each.pictures if picture.file != file))
            for each in self.classes
        )

    def check_trainable(self) -> None:
        """Check that a network can learn from the set and be checked on it.

        Raises:
            DataError: there are fewer than two classes, or a class has fewer than two pictures.
        """
        if len(self.classes) < 2:
            raise DataError("It takes at least two classes to tell apart: add one.")
        small = next((each for each in self.classes if len(each.pictures) < 2), None)
        if small is not None:
            count = "one picture" if small.pictures else "no picture"
            raise DataError(
                f"Class {small.name!r} has {count}: it needs at least two, one to learn from and one to check with, and five or "
                "more are better. Add pictures, or remove the class."
            )

    def _existing(self, name: str) -> int:
        if self.place(name) < 0:
            raise SettingError(f"There is no class {name[:60]!r}, or no longer: reload the page.")
        return self.place(name)

    def _replaced(self, place: int, new: PictureClass) -> PictureSet:
        return self._with((*self.classes[:place], new, *self.classes[place + 1 :]))

    def _with(self, classes: Iterable[PictureClass]) -> PictureSet:
        return PictureSet(classes=tuple(classes), created=self.created)


def clean_class_name(name: str) -> str:
    """The name of a class as it is kept: one that a folder, a terminal and a page can show.

    Raises:
        SettingError: the name is not allowed.
    """
    name = " ".join(unicodedata.normalize("NFC", name).split())
    check_class_name(name)
    if len(name) > CLASS_NAME or name.strip(".") != name or FORBIDDEN & set(name):
        raise SettingError(
            f"A class cannot be called {name[:60]!r}: take at most {CLASS_NAME} letters, no dot at either end, and none of "
            f"{' '.join(sorted(FORBIDDEN))}."
        )
    return name


@dataclass(frozen=True)
class PreparedPicture:
    """A picture ready to be stored in a class."""

    label: str
    name: str
    file: str
    content: bytes


def prepare(label: str, name: str, content: bytes) -> PreparedPicture:
    """Decode a picture and write it anew: its centred square, as every network takes it, without anything else of the file.

    Raises:
        PictureError: it cannot be read.
    """
    decoded = decode(content)
    picture = fit(decoded, min(SIDE, *decoded.size))
    is_lossless = picture.width <= LOSSLESS_SIDE
    encoded = io.BytesIO()
    if is_lossless:
        picture.save(encoded, "PNG")
    else:
        picture.save(encoded, "JPEG", quality=92, subsampling=0)
    digest = hashlib.sha256(picture.tobytes() + f"{picture.width}".encode()).hexdigest()[:32]
    printable = "".join(letter if letter.isprintable() else "?" for letter in name)[:80]
    return PreparedPicture(label, printable, f"{digest}.{'png' if is_lossless else 'jpg'}", encoded.getvalue())


def prepare_archive(
    label: str, content: bytes, clock: Callable[[], float] = time.thread_time
) -> tuple[list[PreparedPicture], list[str]]:
    """Prepare the pictures of a ZIP, for one class, or with an empty label for those that its folders name.

    Args:
        label: the class; empty for those that the folders name.
        content: of the ZIP.
        clock: returns the seconds that this thread has computed.

    Returns:
        The pictures, and a sentence about those that were left out, if there are any.

    Raises:
        DataError: the ZIP is refused (archive.py), or takes too long, or holds no picture that can be used.
    """
    prepared: list[PreparedPicture] = []
    unreadable: list[str] = []
    begin = clock()
    for file in read_archive(content):
        if clock() - begin > DECODING_SECONDS:
            raise DataError("The pictures of the ZIP take too long to decode: pack smaller pictures, or fewer.")
        try:
            if not (label or file.label):
                raise PictureError("It is in no folder, so in no class.")
            prepared.append(prepare(label or file.label, file.name, file.content))
        except PictureError:
            unreadable.append(file.name[:80])
    sentences = left_out(unreadable, "cannot be read or is in no folder, and was left out")
    if not prepared:
        raise DataError(
            " ".join(["The ZIP holds no picture that can be used: pack one folder of pictures for each class.", *sentences])
        )
    return prepared, sentences


def left_out(names: list[str], verb: str) -> list[str]:
    """One sentence that counts pictures and names some of them; none if there are none."""
    if not names:
        return []
    if len(names) == 1:
        return [f"{names[0]} {verb}."]
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return [f"{len(names)} pictures: {', '.join(names[:NAMED])}{more}. Each {verb}."]


def _key(name: str) -> str:
    """Names with one key are the same to a person, and to some file systems."""
    return " ".join(unicodedata.normalize("NFKC", name).casefold().split())


def _taken(name: str) -> SettingError:
    return SettingError(f"There is a class {name[:60]!r} already: take another name.")
