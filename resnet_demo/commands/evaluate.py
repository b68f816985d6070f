"""`evaluate`: how good a model is, on CIFAR-10, on the part of it that ships, or on a folder of pictures."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from resnet_demo.commands.progress import progress

if TYPE_CHECKING:
    from resnet_demo.evaluation.metrics import Scores

LARGEST_TABLE = 20
"""Classes up to which the confusion matrix is printed for people; --json always has it."""


def add(to: Any) -> None:
    """Add the command to the subparsers `to`."""
    evaluate = to.add_parser("evaluate", help="measure a model on test pictures", description=run.__doc__)
    evaluate.add_argument("--model", required=True, metavar="M", help="a folder under weights/, a path or a Hub id")
    evaluate.add_argument(
        "--data", default="bundled", help="cifar10 (10,000 test images), bundled (1,000 of them that ship), or a folder"
    )
    evaluate.add_argument("--json", action="store_true", help="print one JSON value")
    evaluate.set_defaults(command=run)


def run(parsed: argparse.Namespace) -> int:
    """Show a model every test picture, prepared as the model wants it, and count the answers."""
    from resnet_demo.device import choose
    from resnet_demo.evaluation import testset
    from resnet_demo.evaluation.measure import measure
    from resnet_demo.zoo.model_cache import ModelCache

    device = choose()
    with progress(parsed.model) as bar:
        weights = ModelCache(device=device.device).get(parsed.model, allow_paths=True, on_progress=bar)
    with progress(parsed.data) as bar:
        pictures = testset.load(parsed.data, on_progress=bar)
    with progress("pictures", unit="picture") as bar:
        measured = measure(weights, pictures, on_progress=bar)
    if parsed.json:
        about = {"model": parsed.model, "data": parsed.data, "data_name": measured.data, "device": device.name}
        print(json.dumps(about | asdict(measured.scores)))
    else:
        print(f"{weights.name} on the test images of {measured.data}, on {device.name}:")
        print(_text(measured.scores, weights.classes))
    return 0


def _text(scores: Scores, classes: tuple[str, ...]) -> str:
    lines = [
        f"  {scores.images:,} pictures, {scores.accuracy:.2%} right (error {1 - scores.accuracy:.2%})",
        f"  precision {scores.precision:.2%}, recall {scores.recall:.2%}, F1 {scores.f1:.2%} (means over {len(classes)} classes)",
    ]
    if len(classes) <= LARGEST_TABLE:
        width = max(len(str(scores.images)), 4) + 1
        name = max(map(len, classes))
        lines.append("  Pictures of the class on the left that were taken for the class above, in the same order:")
        head = "".join(f"{label[: width - 1]:>{width}}" for label in classes)
        lines.append(f"  {'':{name}}{head}")
        for label, row in zip(classes, scores.confusion, strict=True):
            lines.append(f"  {label:{name}}" + "".join(f"{count:>{width}}" for count in row))
    return "\n".join(lines)
