"""A transfer to CIFAR-10 beside the paper's figures for it, with what differs. No torch here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from resnet_demo.config import ModelConfig, RunConfig
from resnet_demo.paper.tables import TABLE_6, Published, published
from resnet_demo.training.events import TransferMeasured
from resnet_demo.transfer.split import SHIPPED
from resnet_demo.transfer.work import picture_counts
from resnet_demo.zoo.catalogue import trained_on

BEST = ModelConfig.named("resnet110", design="cifar")
"""The paper's best network on CIFAR-10, which stands beside one that the paper did not train on it."""


def of_paper(config: RunConfig) -> tuple[Published, ...]:
    """The paper's errors beside a transfer to CIFAR-10: of the same network, else of its best; none for other data."""
    if config.transfer is None or config.data.source not in SHIPPED:
        return ()
    return _of_same_network(config) or published(BEST)


def values(config: RunConfig) -> list[dict[str, Any]]:
    """The same as plain values; errors in percent."""
    return [asdict(figure) for figure in of_paper(config)]


def beside_paper(config: RunConfig, result: TransferMeasured) -> str:
    """A sentence with the paper's error and this one's, and the conditions of both; empty for other data than CIFAR-10."""
    figures, transfer = of_paper(config), config.transfer
    if not figures or transfer is None:
        return ""
    network = config.arms[0].model
    title = f"{'ResNet' if network.residual else 'plain'}-{network.depth}"
    start = "The paper's"
    if not _of_same_network(config):
        start, title = f"The paper has no such {title} for CIFAR-10; its best network there,", f"ResNet-{BEST.depth},"
    base = f"was trained on {trained_on(transfer.base) or 'data that its card does not name'} before"
    train, side = picture_counts(config, transfer)[0], config.data.image_size
    return (
        f"{start} {title} has {_errors(figures)} of the 10,000 test images wrong, from scratch, at 32 × 32 and after 64,000 "
        f"iterations of 128 images ({figures[0].source}); here {100 * (1 - result.test_accuracy):.1f} % of "
        f"{result.test_images:,} are wrong, by a network whose base {base} and which then learned from {train:,} pictures at "
        f"{side} × {side}: other conditions, so these two numbers do not say which way is better."
    )


def _of_same_network(config: RunConfig) -> tuple[Published, ...]:
    """The published errors of the transferred network as the paper has it: with one dense layer."""
    network = config.arms[0].model
    return published(network.model_copy(update={"hidden": (), "dropout": 0.0})) if network.design == "cifar" else ()


def _errors(figures: Sequence[Published]) -> str:
    """'6.43 % (best of 5 runs) and 6.61 % (mean of 5 runs, ± 0.16)'; a note is what the table says of that line alone."""
    notes = [figure.conditions.removeprefix(TABLE_6.conditions).removeprefix("; ") for figure in figures]
    return " and ".join(
        f"{figure.value:.2f} %" + (f" ({note})" if note else "") for figure, note in zip(figures, notes, strict=True)
    )
