"""Visitors' pictures on the disk."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from resnet_demo.data import picture_store
from resnet_demo.data.cifar10 import example_pictures
from resnet_demo.data.folders import list_folder
from resnet_demo.data.picture_room import PictureLimits
from resnet_demo.data.picture_set import PictureSet
from resnet_demo.data.picture_store import EMPTY, PictureStore
from resnet_demo.errors import DataError, PictureError, ResNetDemoError, SettingError
from tests.clock import Clock
from tests.data.archives import pack, pack_link, picture

ANNA, BEN = "anna", "ben"
EXAMPLE = [
    ("cat", "cat 1", picture(101)),
    ("cat", "cat 2", picture(102)),
    ("ship", "ship 1", picture(103)),
    ("ship", "2", picture(104)),
]


class Disk:
    """How much is free, as a test sets it."""

    free = 10**12

    def __call__(self, _: Path) -> int:
        return self.free


@pytest.fixture
def clock() -> Clock:
    return Clock(1_000_000.0)


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def store(tmp_path: Path, clock: Clock, disk: Disk) -> PictureStore:
    made = PictureStore(tmp_path / "pictures", lambda: EXAMPLE, PictureLimits(pictures=10, bytes=100_000), clock, disk)
    made.get(ANNA)
    return made


def counts(state: PictureSet) -> dict[str, int]:
    return {each.name: len(each.pictures) for each in state.classes}


def files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_visitor_starts_with_the_examples_and_changes_a_copy(store: PictureStore) -> None:
    assert counts(store.get(ANNA)) == {"cat": 2, "ship": 2}
    assert not store.is_own(ANNA)
    assert store.add(ANNA, "cat", "mine.png", picture(1)) == []
    assert counts(store.get(ANNA)) == {"cat": 3, "ship": 2}
    assert counts(store.get(BEN)) == {"cat": 2, "ship": 2}
    assert store.picture(ANNA, store.get(ANNA).classes[0].pictures[0].file).startswith(b"\x89PNG")
    with pytest.raises(DataError, match="no such picture"):
        store.picture(BEN, store.get(ANNA).classes[0].pictures[2].file)


@pytest.mark.parametrize("file", ["../set.json", "set.json", "", "a" * 32 + ".jpg", "/etc/passwd", "\x00"])
def test_no_other_file_is_a_picture(store: PictureStore, file: str) -> None:
    with pytest.raises(DataError, match="no such picture"):
        store.picture(ANNA, file)


def test_who_has_no_cookie_has_no_pictures(store: PictureStore) -> None:
    for owner in ("", "..", "a/b", "A"):
        with pytest.raises(DataError, match="cookie"):
            store.add(owner, "cat", "a.png", picture(1))


def test_a_set_is_started_filled_and_copied_into_a_folder_that_the_trainer_reads(store: PictureStore) -> None:
    assert store.start(ANNA) == PictureSet(classes=EMPTY.classes) or counts(store.get(ANNA)) == {"Class 1": 0, "Class 2": 0}
    store.change(ANNA, lambda state: state.renamed("Class 1", "train").renamed("Class 2", "test"))
    with pytest.raises(DataError, match="'train' has no picture"):
        store.copy_for_run(ANNA)
    for number in range(6):
        store.add(ANNA, "train" if number < 3 else "test", f"{number}.png", picture(number))
    folder = store.copy_for_run(ANNA)
    classes, train, test = list_folder(folder)
    assert (folder.name, classes, len(train), len(test)) == ("own pictures", ("test", "train"), 4, 2)
    store.change(ANNA, lambda state: state.without_class("train"))
    assert list_folder(folder)[1] == train
    store.change(ANNA, lambda state: state.with_new_class("train"))
    for number in range(3):
        store.add(ANNA, "train", f"{number}.png", picture(number))
    assert len(list(folder.parent.parent.iterdir())) == 3  # set.json, the pictures, one copy
    assert store.copy_for_run(ANNA) != folder  # the order of the classes differs
    assert list_folder(store.copy_for_run(BEN))[0] == ("cat", "ship")


def test_a_set_that_is_started_anew_leaves_the_copies_that_runs_learn_from(store: PictureStore) -> None:
    store.add(ANNA, "cat", "mine.png", picture(1))
    folder = store.copy_for_run(ANNA)
    learned = files(folder)
    assert counts(store.start(ANNA)) == {"Class 1": 0, "Class 2": 0}
    assert files(folder) == learned and len(learned) == 5
    store.delete(ANNA)
    assert not folder.exists()


def test_the_same_picture_is_told_in_its_class_and_in_another_one(store: PictureStore) -> None:
    store.add(ANNA, "cat", "one.png", picture(1))
    assert store.add(ANNA, "cat", "again.bmp", picture(1, form="BMP")) == ["again.bmp (in 'cat') is in its class already."]
    (sentence,) = store.add(ANNA, "ship", "again.bmp", picture(1, form="BMP"))
    assert sentence.startswith("again.bmp (in 'cat') is in another class already")
    assert counts(store.get(ANNA)) == {"cat": 3, "ship": 2}


def test_a_zip_makes_classes_and_names_and_counts_what_cannot_be_read(store: PictureStore) -> None:
    store.start(ANNA)
    content = {f"set/dogs/{n}.png": picture(n) for n in range(3)} | {f"set/Cups/{n}.png": picture(n + 10) for n in range(2)}
    broken = {f"set/dogs/broken {n}.jpg": b"no picture" for n in range(5)}
    (sentence,) = store.add(ANNA, "", "set.zip", pack(content | broken))
    assert sentence.startswith("5 pictures: broken 0.jpg, broken 1.jpg, broken 2.jpg and 2 more.")
    assert counts(store.get(ANNA)) == {"Class 1": 0, "Class 2": 0, "dogs": 3, "Cups": 2}
    assert store.add(ANNA, "Class 1", "set.zip", pack({"x/a.png": picture(50), "b.png": picture(51)})) == []
    assert counts(store.get(ANNA))["Class 1"] == 2


@pytest.mark.parametrize(
    ("label", "content", "words"),
    [
        ("cat", b"no picture", "not a picture"),
        ("", picture(1), "drop it on a class"),
        ("a/b", picture(1), "cannot be called"),
        ("", pack_link(), "a link"),
        ("", pack({"cats/a.png": b"no picture"}), "no picture that can be used.*a.png"),
        ("", pack({"a.png": picture(1)}), "no picture that can be used"),
        ("", pack({"readme.txt": b"x"}), "no picture that can be used"),
        ("", pack({f"{n}/{n}.png": picture(n) for n in range(11)}), "at most 10 pictures"),
        ("cat", pack({f"{n}.png": picture(n) for n in range(7)}), "at most 10 pictures"),
        ("cat", pack({f"{n}.png": picture(n, 95) for n in range(5)}), "at most 10 pictures and 0 MB"),
    ],
)
def test_what_is_refused_leaves_nothing_behind(store: PictureStore, label: str, content: bytes, words: str) -> None:
    before = files(store.folder)
    with pytest.raises((DataError, PictureError, SettingError), match=words):
        store.add(ANNA, label, "a.png", content)
    assert files(store.folder) == before


@pytest.mark.parametrize("is_first", [True, False])
def test_a_full_disk_is_a_sentence_and_leaves_nothing_half_made(
    store: PictureStore, monkeypatch: pytest.MonkeyPatch, is_first: bool
) -> None:
    if not is_first:
        store.add(ANNA, "cat", "a.png", picture(1))
    before, state, write = files(store.folder), store.get(ANNA), picture_store.write_atomically

    def full(path: Path, content: bytes) -> None:
        if path.name == "set.json":
            raise OSError(errno.ENOSPC, "No space left on device")
        write(path, content)

    monkeypatch.setattr(picture_store, "write_atomically", full)
    with pytest.raises(DataError, match="No space left on device"):
        store.add(ANNA, "cat", "b.png", picture(2))
    assert (files(store.folder), store.get(ANNA)) == (before, state)


def test_a_copy_for_a_run_that_finds_no_room_leaves_nothing(store: PictureStore, monkeypatch: pytest.MonkeyPatch) -> None:
    before = files(store.folder)
    monkeypatch.setattr(Path, "hardlink_to", lambda *_: (_ for _ in ()).throw(OSError(errno.EPERM, "no links")))
    monkeypatch.setattr(picture_store.shutil, "copyfile", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "disk full")))
    with pytest.raises(DataError, match="disk full"):
        store.copy_for_run(ANNA)
    assert files(store.folder) == before


def test_a_nearly_full_disk_or_server_takes_no_more(tmp_path: Path, store: PictureStore, clock: Clock, disk: Disk) -> None:
    disk.free = 400_000_000
    with pytest.raises(DataError, match="nearly full"):
        store.add(ANNA, "cat", "a.png", picture(1))
    disk.free = 10**12
    small = PictureStore(store.folder, limits=PictureLimits(bytes_of_all=20_000), clock=clock, free=disk)
    with pytest.raises(DataError, match="no room for more"):
        small.add(ANNA, "cat", "a.png", picture(1))


def test_sets_are_deleted_by_their_owner_an_hour_after_their_use_and_after_a_day(store: PictureStore, clock: Clock) -> None:
    for owner in (ANNA, BEN, "cleo"):
        store.add(owner, "cat", "a.png", picture(1))
    store.copy_for_run(BEN)
    store.delete("cleo")
    assert sorted(path.name for path in store.folder.iterdir()) == ["anna", "ben", "examples"]
    clock.seconds += 3000
    store.get(BEN)
    clock.seconds += 3000
    assert store.sweep() == 1
    assert not store.is_own(ANNA) and store.is_own(BEN)
    for _ in range(30):
        clock.seconds += 3000
        store.get(BEN)
    assert store.sweep() == 1
    assert [path.name for path in store.folder.iterdir()] == ["examples"]
    (store.folder / "half").mkdir()
    assert PictureStore(store.folder, clock=clock).sweep() == 1


@pytest.mark.parametrize("content", [b"{", b"\xff"])
def test_a_damaged_set_is_none(store: PictureStore, content: bytes) -> None:
    store.add(ANNA, "cat", "a.png", picture(1))
    (store.folder / ANNA / "set.json").write_bytes(content)
    assert counts(store.get(ANNA)) == {"cat": 2, "ship": 2}
    try:
        store.add(ANNA, "cat", "a.png", picture(1))
    except ResNetDemoError as error:
        pytest.fail(str(error))


def test_the_examples_that_ship_are_two_classes_that_can_be_trained_on(tmp_path: Path) -> None:
    store = PictureStore(tmp_path, example_pictures)
    assert counts(store.get(ANNA)) == {"cat": 12, "ship": 12}
    assert list_folder(store.copy_for_run(ANNA))[0] == ("cat", "ship")
    assert counts(PictureStore(tmp_path / "none").get(ANNA)) == {"Class 1": 0, "Class 2": 0}


def test_copies_for_runs_are_counted_since_their_names_take_room_too(tmp_path: Path) -> None:
    store = PictureStore(tmp_path / "pictures", lambda: EXAMPLE, PictureLimits(copies=2))
    for number in range(2):
        store.change(ANNA, lambda state, number=number: state.renamed(state.classes[0].name, f"name {number}"))
        store.copy_for_run(ANNA)
    store.change(ANNA, lambda state: state.renamed("name 1", "one more"))
    with pytest.raises(DataError, match="2 versions of your pictures"):
        store.copy_for_run(ANNA)
    store.delete(ANNA)
    assert store.copy_for_run(ANNA).is_dir()


def test_visitors_who_have_changed_nothing_read_one_preview_that_none_of_them_replaces(store: PictureStore) -> None:
    before = store.preview(ANNA).stat().st_ino
    assert store.preview(BEN).stat().st_ino == store.preview("cleo").stat().st_ino == before
    store.add(ANNA, "cat", "mine.png", picture(1))
    assert len(list_folder(store.preview(ANNA))[1]) > len(list_folder(store.preview(BEN))[1])
    assert store.preview(BEN).stat().st_ino == before
