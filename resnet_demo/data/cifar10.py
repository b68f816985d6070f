"""The files of CIFAR-10: the whole set on the Hugging Face Hub, and the part that ships. No torch here."""

from __future__ import annotations

from pathlib import Path

from resnet_demo.hub import fetch

REPOSITORY = "uoft-cs/cifar10"
PARTS = ("train", "test")
FILES = {part: f"plain_text/{part}-00000-of-00001.parquet" for part in PARTS}
"""The files of the repository."""

BUNDLED_FILES = {part: Path(__file__).parent / "cifar10_bundled" / f"{part}.parquet" for part in PARTS}
"""The files that ship, in the layout of the repository's."""

TRAINING_IMAGES = {"bundled": 4_000, "cifar10": 50_000}
TEST_IMAGES = {"bundled": 1_000, "cifar10": 10_000}
CLASSES = 10
"""Each class has a tenth of the images, in both."""

MEGABYTES = 136
"""Size of the repository's files together."""

TEST_MEGABYTES = 24
"""Size of the file of test images."""


def is_local() -> bool:
    """Whether the whole set is in the local cache of the Hub."""
    return fetch.is_cached(REPOSITORY, *FILES.values(), kind="dataset")


def is_test_local() -> bool:
    """Whether the test images are in the local cache of the Hub."""
    return fetch.is_cached(REPOSITORY, FILES["test"], kind="dataset")


def encoded_pictures(label: int, count: int, part: str = "test") -> list[bytes]:
    """The first pictures of a class, among those that ship, as they are in the file."""
    import pyarrow.compute
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(BUNDLED_FILES[part], columns=["img", "label"])
    rows = table.filter(pyarrow.compute.equal(table["label"], label)).slice(0, count)
    return [value["bytes"] for value in rows["img"].to_pylist()]


def example_pictures() -> list[tuple[str, str, bytes]]:
    """Test pictures of two classes of CIFAR-10: no network that ships has learned from them."""
    classes = (("cat", 3), ("ship", 8))
    return [
        (name, f"{name} {i}", content) for name, label in classes for i, content in enumerate(encoded_pictures(label, 12), 1)
    ]
