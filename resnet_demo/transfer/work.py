"""How much a transfer computes, in training steps and pictures, so that its time can be told beforehand. No torch here."""

from __future__ import annotations

from resnet_demo.config import ArmConfig, RunConfig, TransferConfig
from resnet_demo.data import cifar10
from resnet_demo.data.folders import data_folder, list_folder
from resnet_demo.errors import DataError
from resnet_demo.model.cost import costs_by_stage
from resnet_demo.transfer.settings import PROBE, SCRATCH
from resnet_demo.transfer.split import class_counts, held_out_counts

FORWARD = 1 / 3
"""A forward pass, as a part of a training step."""


def work_of(arm: ArmConfig, config: RunConfig, transfer: TransferConfig) -> tuple[float, float]:
    """What one network of a transfer costs: training steps of the whole network, and pictures that only pass through it.

    Only a head of large hidden layers costs much alone. A step that trains the last stages goes back through these only; the
    stages of a network cost about the same by the block (section 3.3: half the map, twice the filters).
    """
    if arm.name == PROBE:
        return 0.0, 0.0
    train, validation, test = picture_counts(config, transfer)
    tuned = transfer.head_steps + transfer.fine_steps
    if arm.name == SCRATCH:
        epochs = (config.steps - tuned) * config.batch / train
        return config.steps - tuned, epochs * validation + test
    *trunk, head = (part.multiply_adds for part in costs_by_stage(arm.model, config.data.image_size))
    steps, pictures = transfer.head_steps * head / (sum(trunk) + head), float(test)
    if transfer.cache_features:
        pictures += train * max(transfer.views, 1) + validation
    else:
        steps += FORWARD * transfer.head_steps
        pictures += transfer.head_steps * config.batch / train * validation
    if transfer.fine_steps:
        blocks = arm.model.stages
        share = sum(blocks[len(blocks) - transfer.unfreeze :]) / sum(blocks)
        steps += transfer.fine_steps * (FORWARD + (1 - FORWARD) * share)
        pictures += train + validation * (1 + transfer.fine_steps * config.batch / train) + test
    return steps, pictures


def picture_counts(config: RunConfig, transfer: TransferConfig) -> tuple[int, int, int]:
    """How many pictures are learned from, set aside and tested; a guess where the data are no longer there."""
    source, limit = config.data.source, config.data.test_limit
    try:
        counts = class_counts(source, config.data.train_limit)
        test = cifar10.TEST_IMAGES[source] if source in cifar10.TEST_IMAGES else len(list_folder(data_folder(source))[2])
    except DataError:
        return 1_000, 100, 200
    validation = sum(held_out_counts(counts, transfer.validation))
    return max(sum(counts) - validation, 1), validation, min(test, limit or test)
