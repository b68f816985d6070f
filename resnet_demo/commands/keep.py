"""`keep`: make a model folder, with its card and its measured accuracy, out of a finished run."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any


def add(to: Any) -> None:
    """Add the command to the subparsers `to`."""
    keep = to.add_parser("keep", help="make a model folder out of a finished run", description=run.__doc__)
    keep.add_argument("folder", type=Path, metavar="RUN", help="the folder that `train --out` wrote")
    keep.add_argument("--name", required=True, help="of the model")
    keep.add_argument("--arm", help="which network of the run (default: the first)")
    keep.add_argument("--to", type=Path, metavar="DIR", help="where its folder is made (default: your own models)")
    keep.add_argument("--license", default="", help="under which you give it away, as the Hub names it: apache-2.0, mit, …")
    keep.add_argument("--half", action="store_true", help="round the weights to float16, which takes half the bytes")
    keep.set_defaults(command=run)


def run(parsed: argparse.Namespace) -> int:
    """Measure a run's network on the test images of its data, and write weights, config, card, record and, for CIFAR-10, responses."""
    from resnet_demo.evaluation import testset
    from resnet_demo.evaluation.measure import measure
    from resnet_demo.paper import layer_responses
    from resnet_demo.results.card import card
    from resnet_demo.results.export import arm_to_keep, save_arm
    from resnet_demo.results.transfer_paper import beside_paper
    from resnet_demo.training.record import Record
    from resnet_demo.transfer.result import card as transfer_card
    from resnet_demo.zoo import folder

    record = Record(parsed.folder)
    config = record.config
    name = parsed.arm or config.arms[0].name
    source = arm_to_keep(record, name, parsed.name, parsed.to)  # checks the name before it measures anything
    weights = folder.load(source)
    state = weights.model.state_dict()
    if parsed.half:
        state = folder.rounded_to_half(state)
        weights.model.load_state_dict(state)  # what is measured is what is written
    measured = measure(weights, testset.load(config.data.source, skip_unreadable=config.data.skip_unreadable))
    arm = next(arm for arm in config.arms if arm.name == name)
    changes = {"test_accuracy": measured.scores.accuracy, "licence": parsed.license}
    content = folder.read_config(source).model_copy(update=changes)
    text = (
        transfer_card(arm, record.events(), config=config, data=measured.data, remark=beside_paper)
        if config.transfer
        else card(parsed.name, arm, config, record.events(), measured.data, measured.scores, parsed.license, half=parsed.half)
    )

    def complete(copy: Path) -> None:
        folder.write(copy, content, state, text)
        if config.data.source in ("cifar10", "bundled"):
            layer_responses.write(copy)  # for Figure 7

    # Measure first, then write everything at once: after a failure, `keep` can be repeated.
    target = save_arm(record, name, parsed.name, parsed.to, complete)
    print(target)
    print(f"{measured.scores.accuracy:.2%} right on {measured.scores.images:,} test images.", file=sys.stderr)
    return 0
