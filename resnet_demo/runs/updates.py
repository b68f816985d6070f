"""State and new events of a run as plain JSON values for a browser. No torch here."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from resnet_demo.errors import SettingError
from resnet_demo.results.export import plain
from resnet_demo.results.readings import readings
from resnet_demo.runs.service import RunService
from resnet_demo.training.events import Diagnosed, Measured


def updates_since(service: RunService, run: Any, position: Any = 0) -> dict[str, Any]:
    """The state of a run, and its events from the `position`-th on.

    Returns:
        state, events (as in events.py; numbers that are not finite as texts), and the position to continue from; with new
        measurements, also what each figure shows now (`results.readings`).

    Raises:
        SettingError: there is no such run, or the arguments are of the wrong kind.
    """
    if not isinstance(run, str) or isinstance(position, bool) or not isinstance(position, int) or position < 0:
        raise SettingError("run must be the id of a run, and position a whole number from 0 on.")
    state = service.state(run)
    events, offset = service.events(run, position)
    update = {
        "state": asdict(state),
        "events": [plain(event.model_dump()) for event in events],
        "offset": offset,
    }
    if any(isinstance(event, (Measured, Diagnosed)) for event in events):
        update["readings"] = readings(service.record(run).config, service.events(run, 0)[0])
    return update
