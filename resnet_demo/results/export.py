"""Exports of a run: its numbers as CSV or JSON, everything as a ZIP, one of its networks as a model. No torch here."""

from __future__ import annotations

import json
import math
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from resnet_demo import csv_file, files
from resnet_demo.errors import RunError, SettingError
from resnet_demo.results.summary import results, sentence
from resnet_demo.training.events import Event, Measured, Progress, TrainingPoint, to_line
from resnet_demo.training.record import Record
from resnet_demo.zoo import catalogue

MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")


def plain(value: Any) -> Any:
    """The value for strict JSON, which has no infinity: numbers that are not finite become strings."""
    match value:
        case float() if not math.isfinite(value):
            return str(value)
        case dict():
            return {key: plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return value


def export_csv(record: Record) -> bytes:
    """A row for each point of each curve: step, arm, split (training, test or held-out), loss, error, learning rate."""
    return csv_file.to_csv(("step", "arm", "on", "loss", "error", "learning_rate"), _points(record.events()))


def _points(events: Iterable[Event]) -> Iterator[tuple[object, ...]]:
    for event in events:
        if isinstance(event, TrainingPoint):
            yield event.step, event.arm, "training", event.loss, event.error, event.learning_rate
        elif isinstance(event, Measured):
            yield event.step, event.arm, event.split, event.loss, event.error, ""


def export_json(record: Record) -> bytes:
    """The settings, the results, the text on them (the key "said" is fixed) and every event."""
    config, events = record.config, record.events()
    content = {
        "config": config.model_dump(mode="json"),
        "said": sentence(config, events),
        "arms": [asdict(result) for result in results(config, events)],
        "events": [event.model_dump() for event in events],
    }
    return json.dumps(plain(content), indent=1, allow_nan=False).encode()


def export_zip(record: Record, target: Path) -> Path:
    """Write the config, record, curves and weights of every arm into the file `target`."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("config.json", "events.jsonl"):
            if (record.folder / name).exists():
                archive.write(record.folder / name, name)
        archive.writestr("curves.csv", export_csv(record))
        archive.writestr("summary.txt", sentence(record.config, record.events()) + "\n")
        for file in sorted((record.folder / "arms").rglob("*")):
            if file.is_file():  # weights do not compress
                kind = zipfile.ZIP_STORED if file.suffix == ".safetensors" else None
                archive.write(file, str(file.relative_to(record.folder)), compress_type=kind)
    return target


def save_arm(
    record: Record, arm: str, name: str, models: Path | None = None, complete: Callable[[Path], object] | None = None
) -> Path:
    """Save a trained network of a run as a model of the user: `models/<name>`, which every list of models includes.

    Args:
        record: the run.
        arm: the name of one of its networks.
        name: letters, digits, dots, dashes and underscores; at most 40.
        models: the folder of models; files.home() / "models" by default.
        complete: called with the temporary folder before it is renamed to `models/<name>`, to add files to it.

    Raises:
        SettingError: no such arm, no weights yet, or the name is taken or not allowed.
        RunError: the model could not be written.
    """
    models = models or files.home() / "models"
    source = arm_to_keep(record, arm, name, models)
    target, temporary = models / name, None
    try:
        models.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{name}.", dir=models))  # one for each caller
        shutil.copystat(source, temporary)
        for file in source.iterdir():
            shutil.copy2(file, temporary)  # copytree raises a list of failures without an errno
        history = (event for event in record.events() if _concerns(event, arm) and not isinstance(event, Progress))
        files.write_atomically(temporary / "record.jsonl", b"".join(to_line(event) for event in history))
        if complete is not None:
            complete(temporary)
        temporary.replace(target)
    except OSError as error:
        if target.exists():
            raise _taken(name) from error  # by a concurrent call
        reason = error.strerror or error
        raise RunError(
            f"{name} could not be kept in {models} ({reason}): make room there, or look who may write there."
        ) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
    return target


def arm_to_keep(record: Record, arm: str, name: str, models: Path | None = None) -> Path:
    """The folder with a trained network's weights, if `save_arm` can save it under that name.

    Raises:
        SettingError: no such arm, no weights yet, or the name is taken or not allowed.
    """
    if not isinstance(name, str) or not MODEL_NAME.fullmatch(name):
        raise SettingError(f"name: at most 40 letters, digits, dots, dashes and underscores (given: {str(name)[:60]!r}).")
    if arm not in [config.name for config in record.config.arms]:
        raise SettingError(f"arm: this run has no network {str(arm)[:60]!r}.")
    source = record.folder / "arms" / arm
    if not (source / "config.json").exists():
        raise SettingError(f"{arm} has no weights to keep yet: wait until the run is finished, or stop it.")
    own = files.home() / "models"
    models = models or own
    # A bundled model of the same name would hide one among the user's models; in any other folder there is no conflict.
    if (models / name).exists() or (models.resolve() == own.resolve() and catalogue.find(name) is not None):
        raise _taken(name)
    return source


def _taken(name: str) -> SettingError:
    return SettingError(f"name: there is a model {name!r} already; choose another name.")


def _concerns(event: Event, arm: str) -> bool:
    return getattr(event, "arm", arm) == arm
