"""`models`: the architectures with what they cost, and the weights that can be chosen."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import Any


def add(to: Any) -> None:
    """Add the command to the subparsers `to`."""
    models = to.add_parser("models", help="list the architectures and the weights", description=run.__doc__)
    models.add_argument("--json", action="store_true", help="print one JSON value")
    models.set_defaults(command=run)


def run(parsed: argparse.Namespace) -> int:
    """List the architectures with their cost (on 32×32 or 224×224 pictures; multiply-adds as in Table 1), and the weights."""
    from resnet_demo.config import ARCHITECTURES, ModelConfig
    from resnet_demo.model.cost import cost
    from resnet_demo.zoo.catalogue import available

    costs = {name: cost(ModelConfig.named(name)) for name in ARCHITECTURES}
    weights = available()
    if parsed.json:
        architectures = [{"name": name, **asdict(total)} for name, total in costs.items()]
        print(json.dumps({"architectures": architectures, "weights": [asdict(entry) for entry in weights]}))
        return 0
    print(f"{'architecture':14}{'parameters':>12}{'multiply-adds':>16}")
    for name, total in costs.items():
        print(f"{name:14}{total.parameters:>12,}{total.multiply_adds:>16,}")
    widest = max(len(entry.name) for entry in weights) + 2
    print(f"\n{'weights':{widest}}{'architecture':14}{'accuracy':>9}  source")
    for entry in weights:
        accuracy = "" if entry.test_accuracy is None else f"{entry.test_accuracy:.2%}"
        print(f"{entry.name:{widest}}{entry.architecture:14}{accuracy:>9}  {entry.source}")
    return 0
