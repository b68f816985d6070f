"""The results of a transfer and of its baselines, measured once, at the end, on test pictures that selected nothing."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from itertools import chain
from typing import Literal

import torch
from torch import Tensor

from resnet_demo.evaluation.metrics import scores
from resnet_demo.evaluation.pairs import pair
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
        test_accuracy=test.accuracy, interval=test.interval, precision=test.precision,
        recall=test.recall, f1=test.f1, confusion=test.confusion, baselines=baselines, seconds=seconds,
    )  # fmt: skip


def _baseline(arm: str, is_right: Tensor, baseline_is_right: Tensor) -> Baseline:
    counts = pair(is_right, baseline_is_right)
    return Baseline(
        name=BASELINES[arm], arm=arm, test_accuracy=_share(baseline_is_right), only_transfer=counts.first_only,
        only_baseline=counts.second_only, p=counts.p_value,
    )  # fmt: skip


def _share(is_right: Tensor) -> float:
    return int(is_right.sum()) / len(is_right)
