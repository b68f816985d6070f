"""`compare`: plain and residual networks in lock-step, the lab without the page."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from resnet_demo import files
from resnet_demo.commands.settings import add_settings, check_unchanged, option_of, settings_of
from resnet_demo.comparison import LabSettings, comparison
from resnet_demo.comparison import settings_of as comparison_settings_of
from resnet_demo.config import RunConfig
from resnet_demo.errors import SettingError
from resnet_demo.parsing import parse


def add(to: Any) -> None:
    """Add the command to the subparsers `to`."""
    compare = to.add_parser("compare", help="train plain and residual networks side by side", description=run.__doc__)
    add_settings(compare, LabSettings)
    compare.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder of the run (default: a new one among the lab's runs, so that the page shows it)",
    )
    compare.add_argument("--resume", action="store_true", help="go on with the run in --out, with its own settings")
    compare.add_argument("--json", action="store_true", help="print the results as one JSON value")
    compare.set_defaults(command=run)


def run(parsed: argparse.Namespace) -> int:
    """Train networks with and without shortcuts, from equal weights, on the same batches, and say what happened."""
    from resnet_demo.commands.train import follow
    from resnet_demo.results.export import plain
    from resnet_demo.results.summary import results, sentence, table
    from resnet_demo.runs.permissions import new_run_id
    from resnet_demo.training import machine
    from resnet_demo.training.record import Record

    if parsed.resume and parsed.out is None:
        raise SettingError("--resume needs --out: the folder of the run that is to go on.")
    folder = parsed.out or files.home() / "runs" / new_run_id()
    if parsed.resume:
        check_unchanged(folder, changed_options(parsed, Record(folder).config))
    config = Record(folder).config if parsed.resume else comparison(parse(LabSettings, settings_of(parsed, LabSettings)))
    machine.keep_memory()
    print(f"The record is kept in {folder}.", file=sys.stderr)
    status = follow(config, folder, resume=parsed.resume, as_json=False)
    events = Record(folder).events()
    if parsed.json:
        arms = [asdict(result) for result in results(config, events)]
        content = {"config": config.model_dump(mode="json"), "arms": arms, "said": sentence(config, events)}
        print(json.dumps(plain(content), indent=1, allow_nan=False))
    else:
        print(f"{'network':16} {'steps':>7} {'train loss':>11} {'test error, %':>14}")
        for name, steps, loss, error in table(config, events):
            print(f"{name:16} {steps:>7} {loss:>11} {error:>14}")
        print(sentence(config, events))
    return status


def changed_options(parsed: argparse.Namespace, config: RunConfig) -> Iterator[tuple[str, object]]:
    """The options that differ from the recorded comparison, each with the value in the record."""
    recorded = comparison_settings_of(config)
    for name, value in settings_of(parsed, LabSettings).items():
        if recorded is None:
            yield option_of(name, value), "a run of another command"
            continue
        changed = parse(LabSettings, {**recorded.model_dump(), name: value})
        if comparison_settings_of(comparison(changed, config.title)) != recorded:
            yield option_of(name, value), f"{config.steps} steps" if name == "epochs" else getattr(recorded, name)
