"""The results of a transfer and of its baselines, measured once, at the end, on test pictures that selected nothing."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Mapping
from itertools import chain
from typing import Literal

import torch
from torch import Tensor

from resnet_demo.evaluation.metrics import scores
from resnet_demo.training.events import Baseline, BaselineName, Event, TransferMeasured
from resnet_demo.transfer.networks import nearest_class_mean
from resnet_demo.transfer.phases import Transfer, head_answers
from resnet_demo.transfer.settings import PROBE, SCRATCH, TRANSFER

Compute = Callable[[int, Literal["report"], int, Iterable[tuple[int, int]]], Generator[Event, None, bool]]
"""Does forward passes, and yields how far they are; preparation.compute for this run."""

Key = tuple[str, str]
"""An arm, and a part of the pictures: train, validation or test."""

BASELINES: dict[str, BaselineName] = {PROBE: "linear probe", "": "nearest class mean", SCRATCH: "from scratch"}
"""The names of the baselines by their arm; the nearest class mean is not trained and has none."""

CONFIDENCE = 1.959963984540054
"""So many standard deviations around the mean of a normal distribution hold 95 %."""


def report(
    transfer: Transfer, compute: Compute, step: int, seconds: Callable[[], float]
) -> Generator[Event, None, bool]:  # fmt: skip
    """Measure the networks on the test pictures, the transferred one on the others too; yields a TransferMeasured event.

    Returns:
        Whether they were measured; False if the run was asked to end meanwhile.
    """
    data, classes = transfer.data, len(transfer.data.classes)
    parts = {"train": data.train, "validation": data.validation, "test": data.test}
    keys = [(TRANSFER, part) for part in parts]
    keys += [(name, "test") for name in (PROBE, SCRATCH) if _has_begun(transfer, name, step)]
    answers = {(name, part): torch.empty(len(parts[part]), classes) for name, part in keys}
    on_pictures = [key for key in keys if not transfer.reads_features(key[0], step)]
    passes = [transfer.answers(transfer.networks[name], parts[part], answers[name, part]) for name, part in on_pictures]
    total = sum(len(parts[part]) for _, part in on_pictures)
    features: dict[str, Tensor] = {}
    if transfer.train is not None and transfer.validation is not None:
        test = torch.empty(len(data.test), transfer.features.channels)
        features = {"train": transfer.train[0], "validation": transfer.validation, "test": test}
        passes.append(transfer.features.fill(test, data.test))
        total += len(test)
    is_complete = yield from compute(step, "report", total, chain.from_iterable(passes))
    if not is_complete:
        return False
    for name, part in set(keys) - set(on_pictures):
        answers[name, part] = head_answers(transfer.networks[name].fc, features[part], transfer.device)
    labels = {key: logits.argmax(1) for key, logits in answers.items()}
    if features and transfer.settings.baselines:
        labels["", "test"] = nearest_class_mean(features["train"], data.train.labels, features["test"], classes)
    yield _measured(transfer, labels, step, seconds())
    return True


def _has_begun(transfer: Transfer, name: str, step: int) -> bool:
    begin = transfer.settings.head_steps + transfer.settings.fine_steps if name == SCRATCH else 0
    return name in transfer.networks and step > begin


def _measured(transfer: Transfer, labels: Mapping[Key, Tensor], step: int, seconds: float) -> TransferMeasured:
    """The event, from the class that each network gave each picture."""
    data = transfer.data
    test = scores(labels[TRANSFER, "test"], data.test.labels, len(data.classes))
    is_right = labels[TRANSFER, "test"] == data.test.labels
    baselines = tuple(
        _baseline(arm, is_right, labels[arm, "test"] == data.test.labels) for arm in BASELINES if (arm, "test") in labels
    )
    return TransferMeasured(
        step=step, arm=TRANSFER, classes=data.classes, test_images=test.images,
        train_accuracy=_share(labels[TRANSFER, "train"] == data.train.labels),
        validation_accuracy=_share(labels[TRANSFER, "validation"] == data.validation.labels) if len(data.validation) else None,
        test_accuracy=test.accuracy, interval=wilson(int(is_right.sum()), test.images), precision=test.precision,
        recall=test.recall, f1=test.f1, confusion=test.confusion, baselines=baselines, seconds=seconds,
    )  # fmt: skip


def _baseline(arm: str, is_right: Tensor, baseline_is_right: Tensor) -> Baseline:
    only_transfer, only_baseline = int((is_right & ~baseline_is_right).sum()), int((baseline_is_right & ~is_right).sum())
    return Baseline(
        name=BASELINES[arm], arm=arm, test_accuracy=_share(baseline_is_right), only_transfer=only_transfer, only_baseline=only_baseline,
        p=mcnemar(only_transfer, only_baseline),
    )  # fmt: skip


def _share(is_right: Tensor) -> float:
    return int(is_right.sum()) / len(is_right)


def mcnemar(first: int, second: int) -> float:
    """McNemar's exact test: the probability that pictures which one of two networks alone has right divide at least so unevenly.

    Under the hypothesis that both are equally good, each of these pictures falls to either network by a fair coin.

    Args:
        first: pictures that only the first network has right.
        second: pictures that only the second has right.
    """
    count = first + second
    tail = sum(math.comb(count, number) for number in range(min(first, second) + 1))
    return float(min(2 * tail / 2**count, 1.0))


def wilson(right: int, count: int) -> tuple[float, float]:
    """Wilson's interval of 95 % for a share: where the accuracy on pictures like these may lie (Wilson 1927)."""
    share, z2 = right / count, CONFIDENCE**2
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = CONFIDENCE * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2)) / (1 + z2 / count)
    return max(centre - half, 0.0), min(centre + half, 1.0)
