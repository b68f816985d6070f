"""The command line: `python -m resnet_demo COMMAND`. Results go to standard output, messages to standard error."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import UnionType
from typing import Any, Literal, get_args, get_origin

from resnet_demo import __version__
from resnet_demo.config import ArmConfig, DataConfig, Frozen, ModelConfig, OptimizerConfig, RunConfig, parse
from resnet_demo.errors import ResNetDemoError, SettingError

Command = Callable[[argparse.Namespace], int]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0 done, 1 failed, 2 not understood, 130 interrupted."""
    parsed = parser().parse_args(arguments)
    try:
        return int(parsed.command(parsed))
    except SettingError as error:
        print(f"resnet_demo: {error}", file=sys.stderr)
        return 2
    except ResNetDemoError as error:
        print(f"resnet_demo: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("resnet_demo: interrupted.", file=sys.stderr)
        return 130


def parser() -> argparse.ArgumentParser:
    """The parser of all commands."""
    top = argparse.ArgumentParser(prog="python -m resnet_demo", description="See why residual networks work.")
    top.add_argument("--version", action="version", version=__version__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    train = commands.add_parser("train", help="train one network and keep its record", description=train_command.__doc__)
    train.add_argument("--arch", default="resnet20", help="resnet20, plain56, resnet50, … (default: resnet20)")
    train.add_argument("--plain", action="store_true", help="without the shortcuts")
    length = train.add_mutually_exclusive_group()
    length.add_argument("--epochs", type=float, help="passes over the training images")
    length.add_argument("--steps", type=int, help="batches")
    train.add_argument("--data", default="bundled", help=_description(DataConfig, "source"))
    train.add_argument("--seed", type=int, default=0, help=_description(ArmConfig, "seed"))
    train.add_argument("--out", type=Path, required=True, metavar="DIR", help="folder of the run: its record, checkpoint and weights")
    train.add_argument("--resume", action="store_true", help="go on with the run in DIR, with its own settings")
    train.add_argument("--evaluate-epochs", type=float, default=0, metavar="N", help="epochs between measurements (0: only at the end)")
    train.add_argument("--json", action="store_true", help="print every event as a line of JSON")
    add_settings(train, ModelConfig, leave=("design", "depth", "residual", "classes"))
    add_settings(train, DataConfig, leave=("source",))
    add_settings(train, OptimizerConfig)
    add_settings(train, RunConfig, leave=("arms", "data", "optimizer", "steps", "title", *(f"{what}_every" for what in _EVERY)))
    train.set_defaults(command=train_command)
    return top


_EVERY = ("evaluate", "log", "diagnose", "checkpoint")


def _description(kind: type[Frozen], name: str) -> str:
    return (kind.model_fields[name].description or "").replace("%", "%%")


def add_settings(to: argparse.ArgumentParser, kind: type[Frozen], leave: Sequence[str] = ()) -> None:
    """An option for each field of a settings class, with its help text; an option not given is left to its default."""
    group = to.add_argument_group(kind.__name__.removesuffix("Config").lower())
    for name, field in kind.model_fields.items():
        if name in leave:
            continue
        options: dict[str, Any] = {"dest": f"{kind.__name__}.{name}", "default": argparse.SUPPRESS}
        options["help"] = f"{_description(kind, name)} (default: {field.default})"
        if field.annotation is bool:
            options["action"] = argparse.BooleanOptionalAction
        elif get_origin(field.annotation) is Literal:
            choices = get_args(field.annotation)
            options |= {"choices": choices, "type": type(choices[0])}
        else:
            assert not isinstance(field.annotation, UnionType)
            options["type"] = field.annotation
        option = "--optimizer" if name == "name" else f"--{name.replace('_', '-')}"
        group.add_argument(option, **options)


def settings_of(parsed: argparse.Namespace, kind: type[Frozen]) -> dict[str, Any]:
    """The settings of one class that were given on the command line."""
    prefix = f"{kind.__name__}."
    return {name.removeprefix(prefix): value for name, value in vars(parsed).items() if name.startswith(prefix)}


def train_command(parsed: argparse.Namespace) -> int:
    """Train one network. Continue after an interruption with --resume: the result is the same to the last bit."""
    from resnet_demo.training import machine, session
    from resnet_demo.training.record import Record

    machine.keep_memory()
    config = Record(parsed.out).config if parsed.resume else _run_config(parsed)
    return _follow(session.run(config, parsed.out, resume=parsed.resume), config, as_json=parsed.json)


def _run_config(parsed: argparse.Namespace) -> RunConfig:
    from resnet_demo.data import dataset

    data = parse(DataConfig, {"source": parsed.data, **settings_of(parsed, DataConfig)})
    optimizer = parse(OptimizerConfig, settings_of(parsed, OptimizerConfig))
    loaded = dataset.load(data)
    changes = settings_of(parsed, ModelConfig) | {"classes": len(loaded.classes)}
    model = ModelConfig.named(parsed.arch, **changes | ({"residual": False} if parsed.plain else {}))
    given = settings_of(parsed, RunConfig)
    batch = min(given.get("batch", 128), len(loaded.train))
    per_epoch = len(loaded.train) // batch
    steps = parsed.steps if parsed.steps is not None else round((parsed.epochs or 10) * per_epoch)
    arm = ArmConfig(name=model.name, model=model, seed=parsed.seed)
    every = {"evaluate_every": round(parsed.evaluate_epochs * per_epoch), "log_every": min(max(steps // 500, 1), 100)}
    every["checkpoint_every"] = per_epoch
    return parse(RunConfig, {"arms": (arm,), "data": data, "optimizer": optimizer, "steps": steps, **every, **given})


def _follow(events: Any, config: RunConfig, *, as_json: bool) -> int:
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
                    bar.write(f"{event.device}, {event.precision}, {event.threads} threads, {event.parameters}", file=sys.stderr)
                    bar.update(event.step)
                case told.TrainingPoint():
                    bar.set_postfix({"loss": f"{event.loss:.3f}", "error": f"{event.error:.3f}"}, refresh=False)
                case told.Measured():
                    bar.write(f"step {event.step}: {event.arm}: {event.split} error {event.error:.2%}, loss {event.loss:.4f}", file=sys.stderr)
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


if __name__ == "__main__":
    sys.exit(main())
