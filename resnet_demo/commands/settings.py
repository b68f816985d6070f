"""Command-line options derived from the settings classes of config.py, with their limits and help texts."""

from __future__ import annotations

import argparse
import typing
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from resnet_demo.errors import SettingError
from resnet_demo.parsing import Frozen


def description(kind: type[Frozen], name: str) -> str:
    """The help text of one field, with % escaped for argparse."""
    return (kind.model_fields[name].description or "").replace("%", "%%")


def add_settings(to: argparse.ArgumentParser, kind: type[Frozen], leave: Sequence[str] = ()) -> None:
    """Add an option for each field of a settings class. The parser omits absent options, so the class's defaults apply."""
    group = to.add_argument_group(kind.__name__.removesuffix("Config").removesuffix("Settings").lower())
    for name, field in kind.model_fields.items():
        if name in leave:
            continue
        options: dict[str, Any] = {"dest": f"{kind.__name__}.{name}", "default": argparse.SUPPRESS}
        options["help"] = f"{description(kind, name)} (default: {field.default})"
        if field.annotation is bool:
            options["action"] = argparse.BooleanOptionalAction
        elif get_origin(field.annotation) is Literal:
            choices = get_args(field.annotation)
            options |= {"choices": choices, "type": type(choices[0])}
        else:
            options |= {"type": typing.cast("type", field.annotation), "metavar": "N" if field.annotation is int else "X"}
        group.add_argument(option_of(name), **options)


def settings_of(parsed: argparse.Namespace, kind: type[Frozen]) -> dict[str, Any]:
    """The settings of one class that are on the command line."""
    prefix = f"{kind.__name__}."
    return {name.removeprefix(prefix): value for name, value in vars(parsed).items() if name.startswith(prefix)}


def option_of(name: str, value: object = None) -> str:
    """The option of a setting, with its value as a user types it: `--steps 800`, `--no-augment`."""
    option = "optimizer" if name == "name" else name.replace("_", "-")
    if isinstance(value, bool):
        return f"--{option}" if value else f"--no-{option}"
    return f"--{option}" if value is None else f"--{option} {value}"


def check_unchanged(folder: Path, changes: Iterable[tuple[str, object]]) -> None:
    """Check that no option differs from the settings of the run that `--resume` continues.

    Args:
        folder: the folder of the run.
        changes: the options that differ, each with the value in the record.

    Raises:
        SettingError: an option differs; the message names all of them.
    """
    differing = ", ".join(f"{option} (recorded: {value})" for option, value in changes)
    if differing:
        raise SettingError(
            f"The run in {folder} goes on with its own settings, and these options differ from them: {differing}. "
            "Leave them out, or train a new run in another folder."
        )
