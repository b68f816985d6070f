"""Finished runs that ship with the project, to view before anything has been trained. No torch here.

    resnet_demo/recorded/<id>/     config.json and events.jsonl, as training/record.py describes them; of a transfer, its network too

`python -m resnet_demo.runs.recorded RUN [RUN …] [--title TITLE]` makes such a folder from a finished run. Several runs that each
trained one network in the same way, as those in weights/ were, become one comparison. Numbers keep DIGITS significant digits.
"""

from __future__ import annotations

import argparse
import secrets
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from resnet_demo.config import RunConfig
from resnet_demo.errors import RunError
from resnet_demo.files import write_atomically
from resnet_demo.training.events import CheckpointSaved, Event, Progress, Resized, RunFinished, RunStarted, to_line
from resnet_demo.training.record import Record
from resnet_demo.transfer.settings import TRANSFER
from resnet_demo.words import duration
from resnet_demo.zoo.catalogue import RECORDED

DIGITS = 5


def origin(events: Sequence[Event]) -> str:
    """When, where and how long a recorded run was trained, in two sentences."""
    first = next((event for event in events if isinstance(event, RunStarted)), None)
    last = next((event for event in reversed(events) if isinstance(event, RunFinished)), None)
    if first is None or last is None:
        return "It ships with this app."
    day, threads = datetime.fromisoformat(first.time), "1 thread" if first.threads == 1 else f"{first.threads} threads"
    return (
        f"It ships with this app. It was trained on {day.day} {day:%B %Y}, on {first.device} with {threads}, in "
        f"{duration(last.seconds)}."
    )


def join_runs(runs: Sequence[Record]) -> tuple[RunConfig, list[Event]]:
    """The config and the events of one run that has the networks of several runs. Its duration is the sum of theirs.

    Raises:
        RunError: a run has not finished, or they differ in more than their networks.
    """
    configs, histories = [run.config for run in runs], [run.events() for run in runs]
    for run, history in zip(runs, histories, strict=True):
        if not history or not isinstance(history[-1], RunFinished):
            raise RunError(f"The run in {run.folder} is not finished.")
    arms = tuple(arm for config in configs for arm in config.arms)
    whole = configs[0].model_copy(update={"arms": arms})
    if any(config.model_copy(update={"arms": arms}) != whole for config in configs):
        raise RunError("These runs differ in more than their networks, so they cannot be compared.")
    starts = [event for history in histories for event in history if isinstance(event, RunStarted)]
    ends = [event for history in histories for event in history if isinstance(event, RunFinished)]
    start = min(starts, key=lambda event: (event.step, event.time))
    parameters = {name: count for event in starts for name, count in event.parameters.items()}
    shared = [event for event in histories[0] if isinstance(event, Resized)]
    of_arms = [event for history in histories for event in history if not isinstance(event, (*_RUN_EVENTS, Resized))]
    return whole, [
        start.model_copy(update={"parameters": parameters}),
        *sorted([*shared, *of_arms], key=lambda event: event.step),
        ends[-1].model_copy(update={"seconds": sum(event.seconds for event in ends)}),
    ]


_RUN_EVENTS = (RunStarted, RunFinished, CheckpointSaved, Progress)


def write(runs: Sequence[Record], target: Path, title: str = "") -> Path:
    """Write a recorded run to a new folder in `target`, named by its start. Raises like `join_runs`."""
    config, events = join_runs(runs)
    first = events[0]
    assert isinstance(first, RunStarted)
    folder = target / f"{datetime.fromisoformat(first.time):%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
    folder.mkdir(parents=True)
    config = config.model_copy(update={"title": title or config.title})
    write_atomically(folder / "config.json", config.model_dump_json(indent=1).encode())
    write_atomically(folder / "events.jsonl", b"".join(to_line(round_numbers(event)) for event in events))
    if config.transfer is not None:
        shutil.copytree(runs[0].folder / "arms" / TRANSFER, folder / "arms" / TRANSFER)
    return folder


def round_numbers(event: Event) -> Event:
    """The event with its fractions rounded to DIGITS significant digits; a figure shows three."""
    return type(event).model_validate(_rounded(event.model_dump()))


def _rounded(value: Any) -> Any:
    match value:
        case float():
            return float(f"{value:.{DIGITS}g}") if value % 1 else value
        case dict():
            return {key: _rounded(item) for key, item in value.items()}
        case list() | tuple():
            return [_rounded(item) for item in value]
        case _:
            return value


def main() -> None:
    """Make a recorded run and print its folder."""
    parser = argparse.ArgumentParser(description="Make a recorded run of a finished one.")
    parser.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="the folder of a finished run")
    parser.add_argument("--title", default="", help="by default the title of the run")
    parsed = parser.parse_args()
    print(write([Record(path) for path in parsed.runs], RECORDED, parsed.title))  # noqa: T201 - its result


if __name__ == "__main__":
    main()
