"""`train`: one network, its progress in the terminal, its record on disk."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field

from resnet_demo.commands.settings import add_settings, description, settings_of
from resnet_demo.config import ArmConfig, DataConfig, Frozen, ModelConfig, OptimizerConfig, RunConfig, parse
from resnet_demo.recipes import RECIPES, Recipe

if TYPE_CHECKING:
    from resnet_demo.training.events import Event


class Epochs(Frozen):
    """Lengths that the command line takes in passes over the training images, and a run counts in steps."""

    epochs: float = Field(10, gt=0, le=1_000_000)
    evaluate_epochs: float = Field(0, ge=0, le=1_000_000)


def add(to: Any) -> None:
    """Add the command to the subparsers `to`."""
    train = to.add_parser("train", help="train one network and keep its record", description=run.__doc__)
    train.add_argument("--arch", default="resnet20", help="resnet20, plain56, resnet50, … (default: resnet20)")
    train.add_argument("--plain", action="store_true", help="without the shortcuts")
    train.add_argument(
        "--recipe",
        choices=tuple(RECIPES),
        help="settings and length together: paper (section 4.2) or fast (smaller pictures first); options beside it replace its own",
    )
    length = train.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=float, help="passes over the training images")
    length.add_argument("--steps", type=int, help="batches")
    train.add_argument("--data", help=f"{description(DataConfig, 'source')} (default: bundled, or the recipe's)")
    train.add_argument("--seed", type=int, default=0, help=description(ArmConfig, "seed"))
    train.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the run: its record, checkpoint and weights"
    )
    train.add_argument("--resume", action="store_true", help="go on with the run in DIR, with its own settings")
    train.add_argument(
        "--evaluate-epochs", type=float, default=0, metavar="N", help="epochs between measurements (0: only at the end)"
    )
    train.add_argument("--json", action="store_true", help="print every event as a line of JSON")
    add_settings(train, ModelConfig, leave=("depth", "residual", "classes"))
    add_settings(train, DataConfig, leave=("source",))
    add_settings(train, OptimizerConfig)
    add_settings(
        train,
        RunConfig,
        leave=(
            "arms",
            "data",
            "optimizer",
            "steps",
            "title",
            *(f"{what}_every" for what in ("evaluate", "log", "diagnose", "checkpoint")),
        ),
    )
    train.set_defaults(command=run)


def run(parsed: argparse.Namespace) -> int:
    """Train one network. Continue after an interruption with --resume: the result is the same to the last bit."""
    from resnet_demo.training import machine, session
    from resnet_demo.training.record import Record

    machine.keep_memory()
    config = Record(parsed.out).config if parsed.resume else run_config(parsed)
    return follow(session.run(config, parsed.out, resume=parsed.resume), config, as_json=parsed.json)


def run_config(parsed: argparse.Namespace) -> RunConfig:
    """The run that the options describe; looks at the data for its size and its classes."""
    from resnet_demo.data import dataset
    from resnet_demo.training import distributed

    recipe = RECIPES[parsed.recipe] if parsed.recipe else Recipe({}, {})
    steps_given, epochs_given = parsed.steps, parsed.epochs
    if steps_given is None and epochs_given is None:
        steps_given, epochs_given = recipe.steps, recipe.epochs
    lengths = {"epochs": epochs_given, "evaluate_epochs": parsed.evaluate_epochs}
    epochs = parse(Epochs, {name: value for name, value in lengths.items() if value is not None})
    source = {} if parsed.data is None else {"source": parsed.data}
    data = parse(DataConfig, recipe.data | source | settings_of(parsed, DataConfig))
    optimizer = parse(OptimizerConfig, recipe.optimizer | settings_of(parsed, OptimizerConfig))
    model = ModelConfig.named(parsed.arch, **settings_of(parsed, ModelConfig) | ({"residual": False} if parsed.plain else {}))
    arm = parse(ArmConfig, {"name": model.name, "model": model, "seed": parsed.seed})
    settings = {"arms": (arm,), "data": data, "optimizer": optimizer, **recipe.run, **settings_of(parsed, RunConfig)}
    largest = parse(RunConfig, settings).batch  # refuses what is out of range before it is computed with, or data is fetched
    with distributed.one_after_another():
        for _ in dataset.arriving(data, lambda: False):
            pass
    loaded = dataset.load(data)
    per_epoch = len(loaded.train) // min(largest, len(loaded.train))
    steps = steps_given if steps_given is not None else round(epochs.epochs * per_epoch)
    arm = arm.model_copy(update={"model": model.model_copy(update={"classes": len(loaded.classes)})})
    every = {"evaluate_every": round(epochs.evaluate_epochs * per_epoch), "log_every": min(max(steps // 500, 1), 100)}
    every["checkpoint_every"] = per_epoch
    return parse(RunConfig, {**settings, "arms": (arm,), "steps": steps, **every})


def follow(events: Iterator[Event], config: RunConfig, *, as_json: bool) -> int:
    """Show a run's events while it trains: lines of JSON, or a progress bar and sentences."""
    from tqdm import tqdm

    from resnet_demo.training import events as told

    status = 0
    with tqdm(total=config.steps, unit="step", file=sys.stderr, disable=as_json, dynamic_ncols=True) as bar:
        for event in events:
            if as_json:
                print(told.to_line(event).decode(), end="", flush=True)
            match event:
                case told.RunStarted():
                    bar.write(
                        f"{event.device}, {event.precision}, {event.threads} threads, {event.parameters}", file=sys.stderr
                    )
                    if config.compile:
                        bar.write(
                            "Compiling the network before the first step: a minute, more for deep networks.", file=sys.stderr
                        )
                    bar.update(event.step)
                case told.TrainingPoint():
                    bar.set_postfix({"loss": f"{event.loss:.3f}", "error": f"{event.error:.3f}"}, refresh=False)
                case told.Measured():
                    bar.write(
                        f"step {event.step}: {event.arm}: {event.split} error {event.error:.2%}, loss {event.loss:.4f}",
                        file=sys.stderr,
                    )
                case told.Progress():
                    bar.update(event.step - bar.n)
                case told.ArmDiverged():
                    bar.write(f"step {event.step}: {event.arm} diverged (loss {event.loss}); it stops here.", file=sys.stderr)
                case told.RunFailed():
                    bar.write(event.reason, file=sys.stderr)
                    status = 1
                case _:
                    pass
    return status
