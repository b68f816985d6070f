"""How many pictures of each class a transfer learns from, and how many it sets aside. No torch here: no picture is read."""

from __future__ import annotations

from collections.abc import Sequence

from resnet_demo.data import cifar10
from resnet_demo.data.folders import data_folder, list_folder

SHIPPED = ("bundled", "cifar10")
"""The data that are not a folder."""


def class_counts(source: str, limit: int = 0) -> tuple[int, ...]:
    """How many training pictures each class has, of which at most `limit` are used in all (0: no limit).

    Raises:
        DataError: the folder of data is not a data set.
    """
    if source in SHIPPED:
        counts = [cifar10.TRAINING_IMAGES[source] // cifar10.CLASSES] * cifar10.CLASSES
    else:
        classes, files, _ = list_folder(data_folder(source))
        counts = [0] * len(classes)
        for _, label in files:
            counts[label] += 1
    return limited_counts(counts, limit)


def limited_counts(counts: Sequence[int], limit: int) -> tuple[int, ...]:
    """How many pictures of each class are used if there are at most `limit` in all, as equally many as possible (0: all).

    Every class keeps at least one.
    """
    if not limit or limit >= sum(counts):
        return tuple(counts)
    used, left = [0] * len(counts), max(limit, len(counts))
    while left > 0:
        for label, count in enumerate(counts):
            if left > 0 and used[label] < count:
                used[label], left = used[label] + 1, left - 1
    return tuple(used)


def held_out_counts(counts: Sequence[int], share: float) -> tuple[int, ...]:
    """How many training pictures of each class are set aside: the share, rounded, at least one, and never the last two."""
    return tuple(max(min(max(round(count * share), 1), count - 2), 0) if share else 0 for count in counts)
