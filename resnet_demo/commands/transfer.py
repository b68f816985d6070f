"""`transfer`: a new head, and perhaps the last stages, of a trained network learn other classes."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from resnet_demo import files
from resnet_demo.commands.settings import add_settings, check_unchanged, option_of, settings_of
from resnet_demo.config import RunConfig
from resnet_demo.errors import RunError, WeightsError
from resnet_demo.parsing import parse
from resnet_demo.transfer.settings import TRANSFER, TransferSettings, base_name, transfer_run
from resnet_demo.transfer.settings import settings_of as transfer_settings_of


def add(to: Any) -> None:
    """Add the command to the subparsers `to`."""
    transfer = to.add_parser("transfer", help="train a new head for a trained network", description=run.__doc__)
    add_settings(transfer, TransferSettings)
    transfer.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the run; afterwards a model that other commands take"
    )
    transfer.add_argument("--resume", action="store_true", help="go on with the run in DIR, with its own settings")
    transfer.add_argument("--json", action="store_true", help="print the results as one JSON value")
    transfer.set_defaults(command=run)


def run(parsed: argparse.Namespace) -> int:
    """Take a trained network as base, train a new head on its features, then perhaps its last stages, and measure the result.

    DIR then serves as a model: `classify --model DIR`, `evaluate --model DIR`, `publish DIR`. Continue after an interruption
    with --resume: the result is the same to the last bit.
    """
    from resnet_demo.commands.train import follow
    from resnet_demo.results import transfer_paper
    from resnet_demo.results.export import plain
    from resnet_demo.results.summary import sentence
    from resnet_demo.runs.step_times import StepTimes
    from resnet_demo.training import machine
    from resnet_demo.training.record import Record
    from resnet_demo.transfer.result import measurement, table
    from resnet_demo.words import duration

    if parsed.resume:
        record = Record(parsed.out)
        config = record.config
        check_base(parsed, config, is_finished=record.status() == "finished")
        check_unchanged(parsed.out, changed_options(parsed, config))
    else:
        config = transfer_run(parse(TransferSettings, settings_of(parsed, TransferSettings)), allow_paths=True)
    estimate = StepTimes(files.home() / "step_times.json").estimate(config)
    if estimate is not None:
        print(f"This takes about {duration(estimate.seconds)} on this machine.", file=sys.stderr)
    machine.keep_memory()
    status = follow(config, parsed.out, resume=parsed.resume, as_json=False)
    events = Record(parsed.out).events()
    result = measurement(events)
    if result is None:
        return status
    if parsed.json:
        content = result.model_dump(exclude={"kind", "arm", "step"})
        about: dict[str, Any] = {
            "base": config.transfer.base if config.transfer else "",
            "data": config.data.source,
            "model": str(parsed.out / "arms" / TRANSFER),
        }
        about |= {"paper": transfer_paper.values(config), "said": sentence(config, events)}
        print(json.dumps(plain({**about, **content}), allow_nan=False))
    else:
        for name, accuracy in table(result):
            print(f"{name:20} {accuracy:8.2%}")
        print(sentence(config, events))
    return status


def check_base(parsed: argparse.Namespace, config: RunConfig, *, is_finished: bool) -> None:
    """Check that a recorded transfer can go on from its base.

    Args:
        parsed: the command line.
        config: of the recorded run.
        is_finished: whether nothing is left to train, so that the base is not needed.

    Raises:
        RunError: the base is no longer here, or the command line names another one.
    """
    if config.transfer is None:
        return
    recorded, base = config.transfer.base, settings_of(parsed, TransferSettings).get("base")
    if base is not None and base != recorded and _base_name(base) != recorded:
        raise RunError(
            f"The run in {parsed.out} began with the base {recorded}, not {base}: leave --base out, or train a new run in "
            "another folder."
        )
    if not is_finished and not _base_name(recorded):
        raise RunError(
            f"The base {recorded} of the run in {parsed.out} is no longer here: put it back and resume again, or train a new run "
            "in another folder with a base that `models` lists."
        )


def _base_name(base: str) -> str:
    """The base as a run keeps it; empty if there is no such base."""
    try:
        return base_name(base, allow_paths=True)
    except WeightsError:
        return ""


def changed_options(parsed: argparse.Namespace, config: RunConfig) -> Iterator[tuple[str, object]]:
    """The options that differ from the recorded transfer, each with the value in the record."""
    recorded = transfer_settings_of(config)
    for name, value in settings_of(parsed, TransferSettings).items():
        if recorded is None:
            yield option_of(name, value), "a run of another command, or of data that have changed"
            continue
        changed = parse(TransferSettings, {**recorded.model_dump(), name: value})
        if transfer_run(changed, config.title, allow_paths=True) != config:
            yield option_of(name, value), getattr(recorded, name)
