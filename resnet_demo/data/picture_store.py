"""The pictures that visitors give, on the disk until they are deleted. No torch here.

    pictures/<owner>/set.json               the classes, and which pictures are in each (picture_set.py)
    pictures/<owner>/pictures/<digest>.jpg  each picture once, written anew: nothing of what was sent stays
    pictures/<owner>/<copy>/own pictures/train/<class>/0001.jpg
                                            a copy for runs, in the layout of folders.py, which later changes leave alone

A set is deleted when its owner asks, an hour after its owner's page was last there, and after a day in any case.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from resnet_demo.data.archive import is_archive
from resnet_demo.data.folders import write_folder
from resnet_demo.data.picture_room import LIMITS, PictureLimits, PictureRoom
from resnet_demo.data.picture_set import (
    PictureClass,
    PictureSet,
    PreparedPicture,
    StoredPicture,
    left_out,
    prepare,
    prepare_archive,
)
from resnet_demo.errors import DataError, SettingError
from resnet_demo.files import write_atomically
from resnet_demo.parsing import parse

OWNER = re.compile(r"[0-9a-z]{1,64}")
COPY = re.compile(r"[0-9a-f]{16}")
FILE = re.compile(r"[0-9a-f]{32}\.(jpg|png)")
EXAMPLES = "examples"
"""The owner of the pictures that every visitor starts with."""
DATA_NAME = "own pictures"  # of the data set, in the record and on the card of a run
PREVIEW = "0" * 16
EMPTY = PictureSet(classes=(PictureClass(name="Class 1"), PictureClass(name="Class 2")))


class PictureStore:
    """The sets of all visitors. Every method may be called from any thread.

    Args:
        folder: in which they are kept.
        examples: returns (class, name, encoded picture) of the pictures that every visitor starts with; called once.
        limits: on what they hold, and for how long.
        clock: returns seconds since the epoch.
        free: returns the free bytes on the disk of a folder.
    """

    def __init__(
        self,
        folder: Path,
        examples: Callable[[], Sequence[tuple[str, str, bytes]]] = lambda: (),
        limits: PictureLimits = LIMITS,
        clock: Callable[[], float] = time.time,
        free: Callable[[Path], int] = lambda folder: shutil.disk_usage(folder).free,
    ) -> None:
        self.folder, self.limits = folder, limits
        self.room = PictureRoom(folder, limits, free)
        self._examples, self._clock = examples, clock
        self._lock = threading.RLock()
        self._previews: dict[str, str] = {}  # by owner of a set: the digest of what its preview shows

    def get(self, owner: str) -> PictureSet:
        """The set of an owner, who uses it now: until the first change, the examples."""
        with self._lock:
            own = self._read(owner)
            if own is not None:
                with suppress(OSError):
                    os.utime(self._home(owner) / "set.json", (self._clock(), self._clock()))
            return own or self._shared()

    def is_own(self, owner: str) -> bool:
        """Whether the owner has changed anything yet."""
        return self._read(owner) is not None

    def picture(self, owner: str, file: str) -> bytes:
        """A picture of the owner's set, or of the examples.

        Raises:
            DataError: there is none.
        """
        for name in (owner, EXAMPLES) if FILE.fullmatch(file) else ():
            with suppress(OSError, DataError):
                return (self._home(name) / "pictures" / file).read_bytes()
        raise DataError("There is no such picture, or no longer: pictures are deleted after a day.")

    def change(self, owner: str, change: Callable[[PictureSet], PictureSet]) -> PictureSet:
        """Replace a set by what a function makes of it; the first change is one of a copy of the examples.

        Raises:
            SettingError: the function refuses.
            DataError: the set cannot be written.
        """
        with self._lock:
            new = change(self.get(owner))
            self._write(owner, new, [])
            return new

    def start(self, owner: str) -> PictureSet:
        """Replace the owner's set by two empty classes; the copies for runs stay. Raises DataError like `change`."""
        return self.change(owner, lambda _: EMPTY)

    def add(self, owner: str, label: str, name: str, content: bytes) -> list[str]:
        """Add a picture, or those of a ZIP, to a class.

        A picture that is in the set already is left out, and one of a ZIP that cannot be read.

        Args:
            owner: whose set it is.
            label: the name of the class; if it is empty, the folders of the ZIP are the classes.
            name: of the file.
            content: of the file.

        Returns:
            Sentences about the pictures that were left out.

        Raises:
            DataError: the ZIP is refused (archive.py) or holds no picture that can be used, or a limit is reached.
            PictureError: it is one picture and cannot be read.
            SettingError: a class cannot have that name, or there are too many.
        """
        if not is_archive(content):
            if not label:
                raise SettingError(f"{name[:80]} is one picture: drop it on a class.")
            return self._add(owner, [prepare(label, name, content)])
        prepared, sentences = prepare_archive(label, content)
        self.room.check_count(len(prepared))
        return sentences + self._add(owner, prepared)

    def copy_for_run(self, owner: str) -> Path:
        """A folder for the trainer that later changes of the set leave alone; equal sets share one.

        Raises:
            DataError: the set cannot be trained on (`PictureSet.check_trainable`), or there is no room for the copy.
        """
        with self._lock:
            return self._copy(owner, self._digest(owner))

    def preview(self, owner: str) -> Path:
        """A folder as `copy_for_run` makes it, until the set changes: to say what a run would be like. Raises like it."""
        with self._lock:
            home, digest = self._home_of_set(owner), self._digest(owner)
            if self._previews.get(home.name) != digest:  # the examples have one preview, which all visitors read
                shutil.rmtree(home / PREVIEW, ignore_errors=True)
                self._previews[home.name] = digest
            return self._copy(owner, PREVIEW)

    def delete(self, owner: str) -> None:
        """Delete all pictures of an owner, copies for runs too."""
        with self._lock:
            self.room.forget(owner)
            shutil.rmtree(self._home(owner), ignore_errors=True)

    def sweep(self) -> int:
        """Delete the sets that have reached their end; returns how many."""
        now, deleted = self._clock(), 0
        with self._lock:
            for home in sorted(self.folder.iterdir()) if self.folder.is_dir() else []:
                state = self._read(home.name) if OWNER.fullmatch(home.name) else None
                used = (home / "set.json").stat().st_mtime if state is not None else 0
                is_over = state is None or now - state.created > self.limits.age or now - used > self.limits.idle
                if home.name != EXAMPLES and is_over:
                    shutil.rmtree(home, ignore_errors=True)
                    self.room.forget(home.name)
                    deleted += 1
        return deleted

    def _home_of_set(self, owner: str) -> Path:
        return self._home(owner if self.is_own(owner) else EXAMPLES)

    def _digest(self, owner: str) -> str:
        content = [(each.name, [picture.file for picture in each.pictures]) for each in self.get(owner).classes]
        return hashlib.sha256(repr(content).encode()).hexdigest()[:16]

    def _copy(self, owner: str, name: str) -> Path:
        state, home = self.get(owner), self._home_of_set(owner)
        state.check_trainable()
        if not (home / name).exists():
            files = {each.name: [home / "pictures" / picture.file for picture in each.pictures] for each in state.classes}
            with _disk_errors_in_a_sentence():
                self.room.check_copies(1 + sum(COPY.fullmatch(path.name) is not None for path in home.iterdir()))
                write_folder(home / name, DATA_NAME, files)
            self.room.forget(home.name)
        return home / name / DATA_NAME

    def _shared(self) -> PictureSet:
        """The examples, which are made when they are first needed."""
        if self._read(EXAMPLES) is None:
            self._write(EXAMPLES, PictureSet(), [])
            self._add(EXAMPLES, [prepare(*picture) for picture in self._examples()])
        shared = self._read(EXAMPLES)
        return shared if shared is not None and shared.classes else EMPTY

    def _add(self, owner: str, prepared: list[PreparedPicture]) -> list[str]:
        """Add pictures, all of them but those that are in the set already, or none."""
        with self._lock:
            self._home(owner)
            state = self.get(owner)
            new: list[PreparedPicture] = []
            again: list[str] = []
            elsewhere: list[str] = []
            for picture in prepared:
                present = state.class_of.get(picture.file)
                if present is None:
                    state = state.with_picture(picture.label, StoredPicture(file=picture.file, name=picture.name))
                    new.append(picture)
                else:
                    is_same = state.place(present) == state.place(picture.label)
                    (again if is_same else elsewhere).append(f"{picture.name} (in {present!r})")
            size = sum(len(picture.content) for picture in new)
            self.room.check(owner, len(state.class_of), size)
            self._write(owner, state, new)
        return [
            *left_out(again, "is in its class already"),
            *left_out(elsewhere, "is in another class already; a picture can show only one, so it was left out"),
        ]

    def _write(self, owner: str, state: PictureSet, new: list[PreparedPicture]) -> None:
        """Make a state the owner's set: whole, or what was there before stays."""
        home, before = self._home(owner), {} if owner == EXAMPLES else self.get(owner).class_of
        is_new = not self.is_own(owner)
        state = PictureSet(classes=state.classes, created=self._clock() if is_new else state.created)
        try:
            with _disk_errors_in_a_sentence():
                (home / "pictures").mkdir(parents=True, exist_ok=True)
                for file in before.keys() & state.class_of.keys() if is_new else ():
                    shutil.copyfile(self._home(EXAMPLES) / "pictures" / file, home / "pictures" / file)
                for picture in new:
                    write_atomically(home / "pictures" / picture.file, picture.content)
                write_atomically(home / "set.json", state.model_dump_json().encode())
                os.utime(home / "set.json", (self._clock(), self._clock()))
        except DataError:
            if is_new:
                self.delete(owner)
            state = self.get(owner)
            raise
        finally:
            self.room.forget(owner)
            with suppress(OSError):
                for path in (home / "pictures").iterdir():
                    if path.name not in state.class_of:
                        path.unlink()

    def _home(self, owner: str) -> Path:
        if not OWNER.fullmatch(owner):
            raise DataError(
                "Pictures are kept only for a browser that accepts this app's cookie: allow it, and reload the page."
            )
        return self.folder / owner

    def _read(self, owner: str) -> PictureSet | None:
        try:
            return parse(PictureSet, (self._home(owner) / "set.json").read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, SettingError, DataError):
            return None


@contextmanager
def _disk_errors_in_a_sentence() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DataError(
            f"The pictures cannot be kept ({error.strerror or error}): tell whoever runs this app to look at its disk."
        ) from error
