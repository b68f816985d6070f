"""The results of an evaluation as plain values for the command line, the API, the page and the exports. No torch here."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from resnet_demo.evaluation.measurement import Measurement
from resnet_demo.paper.tables import Published, published

CIFAR_CLASSES, IMAGENET_CLASSES = 10, 1000


def values(model: str, data: str, measurement: Measurement) -> dict[str, Any]:
    """All numbers of a measurement; fractions of 1, macro averages, except the paper's errors, in percent.

    Args:
        model: its source.
        data: its source.
        measurement: of the model on the data.
    """
    scores, about = measurement.scores, measurement.about
    averages = {name: getattr(scores, name) for name in ("images", "accuracy", "precision", "recall", "f1", "confusion")}
    by_class = zip(about.classes, scores.per_class, strict=True)
    return {
        "model": model,
        "data": data,
        "data_name": about.data,
        "device": about.device,
        "conditions": f"{about.split}, {about.view}",
        "classes": about.classes,
        **averages,
        "interval": scores.interval,
        "top5": measurement.top_5,
        "per_class": [{"label": label, **asdict(of_class)} for label, of_class in by_class if of_class.images],
        "ece": measurement.ece,
        "calibration": [asdict(part) for part in measurement.bins],
        "paper": [asdict(row) for row in of_paper(measurement)],
    }


def of_paper(measurement: Measurement) -> tuple[Published, ...]:
    """The published errors of the network that was measured; none of one for other data than the paper's."""
    config = measurement.about.architecture
    expected = CIFAR_CLASSES if config.design == "cifar" else IMAGENET_CLASSES
    return published(config) if config.classes == expected else ()
