"""`train`: one network, its progress in the terminal, its record on disk."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from resnet_demo.commands.settings import add_settings, check_unchanged, description, option_of, settings_of
from resnet_demo.config import ArmConfig, DataConfig, ModelConfig, OptimizerConfig, RunConfig
from resnet_demo.parsing import Frozen, parse
from resnet_demo.recipes import RECIPES, Recipe

if TYPE_CHECKING:
    from tqdm import tqdm

    from resnet_demo.training.events import Event, RunStarted
    from resnet_demo.training.record import Record

DEFAULTS = {
    "arch": "resnet20",
    "plain": False,
    "epochs": None,
    "steps": None,
    "data": None,
    "recipe": None,
    "seed": 0,
    "evaluate_epochs": 0,
}
"""Defaults of the options that no settings class declares. The parser omits absent options, so that --resume can compare."""
ENDED_BY_SIGTERM = 143
"""128 + 15: the exit status that a shell reports for a process ended by SIGTERM."""
NAMED_FILES = 5
"""The number of skipped files that the terminal names; the record names all of them."""


class Epochs(Frozen):
    """Lengths that the command line takes in passes over the training images, and a run counts in steps."""

    epochs: float = Field(10, gt=0, le=1_000_000)
    evaluate_epochs: float = Field(0, ge=0, le=1_000_000)


def add(to: Any) -> None:
    """Add the command to the subparsers `to`."""
    train = to.add_parser(
        "train",
        help="train one network and keep its record",
        description=run.__doc__,
        argument_default=argparse.SUPPRESS,
    )
    train.add_argument("--arch", help="resnet20, plain56, resnet50, … (default: resnet20)")
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
    train.add_argument("--seed", type=int, help=f"{description(ArmConfig, 'seed')} (default: 0)")
    train.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="folder of the run: its record, checkpoint and weights"
    )
    train.add_argument("--resume", action="store_true", default=False, help="go on with the run in DIR, with its own settings")
    train.add_argument(
        "--evaluate-epochs", type=float, metavar="N", help="epochs between measurements (default: 0, only at the end)"
    )
    train.add_argument("--json", action="store_true", default=False, help="print every event as a line of JSON")
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
            "transfer",
            "steps",
            "title",
            *(f"{what}_every" for what in ("evaluate", "log", "diagnose", "checkpoint")),
        ),
    )
    train.set_defaults(command=run)


def run(parsed: argparse.Namespace) -> int:
    """Train one network. Continue after an interruption with --resume: the result is the same to the last bit.

    SIGTERM ends the training after the current step, with a checkpoint; the exit status is then 143.
    """
    from resnet_demo.training import machine
    from resnet_demo.training.record import Record

    machine.keep_memory()
    if parsed.resume:
        check_unchanged(parsed.out, changed_options(parsed, Record(parsed.out)))
    config = Record(parsed.out).config if parsed.resume else run_config(parsed)
    return follow(config, parsed.out, resume=parsed.resume, as_json=parsed.json)


def changed_options(parsed: argparse.Namespace, record: Record) -> Iterator[tuple[str, object]]:
    """The options that differ from the recorded run, each with the value in the record."""
    from resnet_demo.training.events import RunStarted

    config, options = record.config, vars(parsed)
    arm = config.arms[0]
    if "arch" in options or "plain" in options:
        model = ModelConfig.named(options.get("arch", arm.model.name))
        plain = options.get("plain", not model.residual)
        if (model.depth, not plain) != (arm.model.depth, arm.model.residual):
            yield f"--arch {model.name}" + " --plain" * ("plain" in options), arm.model.name
    per_epoch = next(
        (event.steps_per_epoch for event in record.events() if isinstance(event, RunStarted)), config.checkpoint_every
    )
    epochs = parse(Epochs, {name: options[name] for name in Epochs.model_fields if name in options})
    recorded: dict[str, tuple[object, object]] = {
        "steps": (options.get("steps"), config.steps),
        "seed": (options.get("seed"), arm.seed),
        "data": (options.get("data"), config.data.source),
        "epochs": (round(epochs.epochs * per_epoch), config.steps),
        "evaluate_epochs": (round(epochs.evaluate_epochs * per_epoch), config.evaluate_every),
    }
    for name, (option, record_value) in recorded.items():
        if name in options and option != record_value:
            yield option_of(name, options[name]), f"{record_value} steps" if name.endswith("epochs") else record_value
    yield from _changed_settings(parsed, config)


def _changed_settings(parsed: argparse.Namespace, config: RunConfig) -> Iterator[tuple[str, object]]:
    """The settings, from single options or from a recipe, that differ from those of the recorded run."""
    kinds: tuple[tuple[type[Frozen], Frozen], ...] = (
        (ModelConfig, config.arms[0].model),
        (DataConfig, config.data),
        (OptimizerConfig, config.optimizer),
        (RunConfig, config),
    )
    recipe = RECIPES.get(vars(parsed).get("recipe", ""), Recipe({}, {}))
    recipe_settings: dict[type[Frozen], Mapping[str, object]] = {
        DataConfig: recipe.data, OptimizerConfig: recipe.optimizer, RunConfig: recipe.run,
    }  # fmt: skip
    if "data" in vars(parsed):  # --data overrides the recipe's
        recipe_settings[DataConfig] = {name: value for name, value in recipe.data.items() if name != "source"}
    for kind, settings in kinds:
        overrides = settings_of(parsed, kind)
        effective = {name: value for name, value in recipe_settings.get(kind, {}).items() if name not in overrides}
        if any(value != getattr(settings, name) for name, value in effective.items()):
            yield f"--recipe {parsed.recipe}", "other settings"
            break
    for kind, settings in kinds:
        for name, value in settings_of(parsed, kind).items():
            if value != getattr(settings, name):
                yield option_of(name, value), getattr(settings, name)


def run_config(parsed: argparse.Namespace) -> RunConfig:
    """The run that the options describe. Loads the data, which determine the steps of an epoch and the classes."""
    from resnet_demo.data import dataset
    from resnet_demo.training import distributed

    parsed = argparse.Namespace(**{**DEFAULTS, **vars(parsed)})
    recipe = RECIPES[parsed.recipe] if parsed.recipe else Recipe({}, {})
    steps_option, epochs_option = parsed.steps, parsed.epochs
    if steps_option is None and epochs_option is None:
        steps_option, epochs_option = recipe.steps, recipe.epochs
    lengths = {"epochs": epochs_option, "evaluate_epochs": parsed.evaluate_epochs}
    epochs = parse(Epochs, {name: value for name, value in lengths.items() if value is not None})
    source = {} if parsed.data is None else {"source": parsed.data}
    data = parse(DataConfig, recipe.data | source | settings_of(parsed, DataConfig))
    optimizer = parse(OptimizerConfig, recipe.optimizer | settings_of(parsed, OptimizerConfig))
    model = ModelConfig.named(parsed.arch, **settings_of(parsed, ModelConfig) | ({"residual": False} if parsed.plain else {}))
    arm = parse(ArmConfig, {"name": model.name, "model": model, "seed": parsed.seed})
    settings = {"arms": (arm,), "data": data, "optimizer": optimizer, **recipe.run, **settings_of(parsed, RunConfig)}
    batch = parse(RunConfig, settings).batch  # validates every setting before data are downloaded
    with distributed.one_after_another():
        for _ in dataset.download(data, lambda: False):
            pass
    loaded = dataset.load(data)
    per_epoch = len(loaded.train) // min(batch, len(loaded.train))
    steps = steps_option if steps_option is not None else round(epochs.epochs * per_epoch)
    arm = arm.model_copy(update={"model": model.model_copy(update={"classes": len(loaded.classes)})})
    every = {"evaluate_every": round(epochs.evaluate_epochs * per_epoch), "log_every": min(max(steps // 500, 1), 100)}
    every["checkpoint_every"] = per_epoch
    return parse(RunConfig, {**settings, "arms": (arm,), "steps": steps, **every})


@contextmanager
def leave_on_sigterm() -> Iterator[Callable[[], Literal["go on", "leave"]]]:
    """Yield the `request` of session.run: "leave", with a checkpoint, after the first SIGTERM. A second one ends the process."""
    arrived = threading.Event()

    def leave(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_DFL)
        arrived.set()

    previous_handler = signal.signal(signal.SIGTERM, leave)
    try:
        yield lambda: "leave" if arrived.is_set() else "go on"
    finally:
        signal.signal(signal.SIGTERM, previous_handler)


def follow(config: RunConfig, folder: Path, *, resume: bool, as_json: bool) -> int:
    """Train, and show the events: lines of JSON, or a progress bar and sentences.

    With several processes only the first one prints. A finished run is not trained again; a message says so.

    Returns:
        The exit status: 0, 1 for a run that failed, 143 for one that SIGTERM ended.
    """
    from tqdm import tqdm

    from resnet_demo.results.transfer_paper import beside_paper
    from resnet_demo.training import distributed, session
    from resnet_demo.training.events import RunFailed, RunFinished, to_line
    from resnet_demo.training.record import ENDINGS, Record
    from resnet_demo.transfer.preparation import preparation_of

    prints = distributed.is_first()
    last = next(reversed(Record(folder).read()[0]), None) if resume else None
    if isinstance(last, RunFinished):
        if prints:
            print(f"The run in {folder} is finished: all its {config.steps:,} steps are trained.", file=sys.stderr)
        return 0
    bar = tqdm(total=config.steps, unit="step", file=sys.stderr, disable=as_json or not prints, dynamic_ncols=True)
    with bar, leave_on_sigterm() as request:
        for event in session.run(config, folder, resume=resume, request=request, prepare=preparation_of(config, beside_paper)):
            last = event
            if as_json:
                print(to_line(event).decode(), end="", flush=True)
            if prints:
                _show(event, config, bar)
        if request() == "leave" and not isinstance(last, ENDINGS):
            if prints:
                bar.write(f"Ended by SIGTERM at step {last.step if last else 0}; --resume goes on from there.", file=sys.stderr)
            return ENDED_BY_SIGTERM
    return 1 if isinstance(last, RunFailed) else 0


def _show(event: Event, config: RunConfig, bar: tqdm[Any]) -> None:
    """Show an event in the terminal: advance the bar, or print a sentence above it."""
    from resnet_demo.training import events

    sentence = ""
    match event:
        case events.RunStarted():
            sentence = _start(event, config)
            bar.update(event.step - bar.n)
        case events.TrainingPoint():
            bar.set_postfix({"loss": f"{event.loss:.3f}", "error": f"{event.error:.3f}"}, refresh=False)
        case events.Measured():
            sentence = f"step {event.step}: {event.arm}: {event.split} error {event.error:.2%}, loss {event.loss:.4f}"
        case events.Progress():
            bar.update(event.step - bar.n)
        case events.FeaturesComputed() if event.done == event.total:
            sentence = f"{event.done:,} pictures passed through the base, {event.cached:,} of them came from the cache."
        case events.PhaseStarted():
            sentence = f"step {event.step}: {event.name}, of {' and '.join(event.arms)}, up to step {event.last}."
        case events.ArmDiverged():
            sentence = f"step {event.step}: {event.arm} diverged (loss {event.loss}); it stops here."
        case events.RunFailed():
            sentence = event.reason
    if sentence:
        bar.write(sentence, file=sys.stderr)


def _start(event: RunStarted, config: RunConfig) -> str:
    """Sentences that name the networks, the device and what is unusual about the run."""
    networks = " and ".join(f"{name} ({count:,} parameters)" for name, count in event.parameters.items())
    sentences = [
        f"Training {networks} for {event.steps:,} steps on {event.device}, in {event.precision}, "
        f"with {event.threads} thread{'s' * (event.threads != 1)}."
    ]
    if event.step:
        sentences.append(f"It goes on from step {event.step:,}.")
    if event.skipped:
        more = ", …" if len(event.skipped) > NAMED_FILES else ""
        sentences.append(f"{len(event.skipped)} unreadable files are left out: {', '.join(event.skipped[:NAMED_FILES])}{more}.")
    if config.compile:
        sentences.append("The network is compiled before the first step: a minute, more for deep networks.")
    return " ".join(sentences)
