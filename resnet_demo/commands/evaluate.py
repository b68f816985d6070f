"""`evaluate`: how good models are, on CIFAR-10, on the part of it that ships, or on a folder of pictures."""

from __future__ import annotations

import argparse
import itertools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from resnet_demo.commands.progress import progress_line

if TYPE_CHECKING:
    from resnet_demo.evaluation.evaluator import Say
    from resnet_demo.evaluation.measurement import Measurement
    from resnet_demo.zoo.folder import Weights

LARGEST_TABLE = 20
"""Classes up to which the confusion matrix is printed for people; --json always has it."""


def add(to: Any) -> None:
    """Add the command to the subparsers `to`."""
    evaluate = to.add_parser("evaluate", help="measure models on test pictures", description=run.__doc__)
    evaluate.add_argument(
        "--model", required=True, action="append", metavar="M",
        help="a folder under weights/, a path or a Hub id; may be repeated, to compare models on the same pictures",
    )  # fmt: skip
    evaluate.add_argument(
        "--data", default="bundled", help="cifar10 (10,000 test images), bundled (1,000 of them that ship), or a folder"
    )
    evaluate.add_argument("--json", action="store_true", help="print one JSON value; a list of them for several models")
    evaluate.set_defaults(command=run)


def run(parsed: argparse.Namespace) -> int:
    """Show models every test picture, prepared as each model wants it, and count the answers.

    Answers are kept: the same model on the same data is not computed again.
    """
    from resnet_demo.evaluation.evaluator import evaluator
    from resnet_demo.evaluation.pairs import pair, sentence
    from resnet_demo.results.evaluation import values

    measures = evaluator()
    with progress_line() as say:
        measurements = [measures.measure(model, parsed.data, _load, allow_paths=True, say=say) for model in parsed.model]
    if parsed.json:
        results = [values(model, parsed.data, one) for model, one in zip(parsed.model, measurements, strict=True)]
        print(json.dumps(results if len(results) > 1 else results[0]))
        return 0
    names = [Path(model).name if Path(model).is_dir() else model for model in parsed.model]
    for name, measurement in zip(names, measurements, strict=True):
        print(_text(name, measurement))
    for (first, one), (second, other) in itertools.combinations(zip(names, measurements, strict=True), 2):
        print(sentence(pair(one.hits, other.hits), first, second))
    return 0


def _load(model: str, say: Say, should_cancel: Any) -> Weights:
    from resnet_demo.device import choose
    from resnet_demo.zoo.model_cache import ModelCache

    def download(done: int, total: int) -> None:
        say(f"{model}: {done / 1e6:.0f} of {total / 1e6:.0f} MB")

    return ModelCache(device=choose().device).get(model, allow_paths=True, on_progress=download, should_cancel=should_cancel)


def _text(name: str, measurement: Measurement) -> str:
    scores, about = measurement.scores, measurement.about
    low, high = scores.interval
    top_5 = [] if measurement.top_5 is None else [f"  the right class is among the five likeliest for {measurement.top_5:.2%}"]
    lines = [
        f"{name} on the test images of {about.data}, on {about.device}:",
        f"  {scores.images:,} pictures, {scores.accuracy:.2%} right (error {1 - scores.accuracy:.2%}; 95 % interval of the accuracy "
        f"{low:.2%} to {high:.2%})",
        *top_5,
        f"  precision {scores.precision:.2%}, recall {scores.recall:.2%}, F1 {scores.f1:.2%} "
        f"(means over {len(measurement.present)} classes)",
        f"  expected calibration error {measurement.ece:.2%}",
    ]
    classes = about.classes
    if len(classes) <= LARGEST_TABLE:
        width = max(len(str(scores.images)), 4) + 1
        longest = max(map(len, classes))
        lines.append("  Pictures of the class on the left that were taken for the class above, in the same order:")
        head = "".join(f"{label[: width - 1]:>{width}}" for label in classes)
        lines.append(f"  {'':{longest}}{head}")
        for label, row in zip(classes, scores.confusion, strict=True):
            lines.append(f"  {label:{longest}}" + "".join(f"{count:>{width}}" for count in row))
    return "\n".join(lines)
