"""The vocabulary: what is written is what is read, whatever the numbers."""

from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from resnet_demo.training.events import (
    ArmDiverged,
    CheckpointSaved,
    Diagnosed,
    Event,
    Measured,
    Progress,
    RunFailed,
    RunFinished,
    RunPaused,
    RunStarted,
    RunStopped,
    TrainingPoint,
    from_line,
    to_line,
)

EVENTS: tuple[Event, ...] = (
    RunStarted(
        time="2026-01-31T12:00:00+00:00", steps=9, steps_per_epoch=3, device="cpu", precision="bf16", threads=2,
        torch="2", parameters={"a": 7},
    ),
    TrainingPoint(step=1, arm="a", loss=0.1 + 0.2, error=1 / 3, learning_rate=1e-300),
    TrainingPoint(step=1, arm="a", loss=math.inf, error=1.0, learning_rate=0.1),
    Measured(step=2, arm="ä \"quoted\"\n", split="held-out", loss=-math.inf, error=0.0),
    Diagnosed(step=3, arm="a", layers=("conv1",), gradient_norms=(math.inf,), response_deviations=(0.5,)),
    Progress(step=4, images_per_second=1e9, seconds_left=0.0, memory_mb=1.0),
    ArmDiverged(step=5, arm="a", loss=math.inf),
    CheckpointSaved(step=6),
    RunPaused(step=7),
    RunStopped(step=8, seconds=1.5),
    RunFinished(step=9, seconds=2.5),
    RunFailed(step=9, reason="The disk is full."),
)  # fmt: skip


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.kind)
def test_an_event_survives_the_round_trip_to_one_line(event: Event) -> None:
    line = to_line(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert from_line(line) == event


def test_nan_survives_the_round_trip() -> None:
    back = from_line(to_line(ArmDiverged(step=5, arm="a", loss=math.nan)))
    assert isinstance(back, ArmDiverged)
    assert math.isnan(back.loss)


def test_an_event_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        EVENTS[0].step = 3


@pytest.mark.parametrize("line", [b"", b"{}", b'{"kind":"unheard of","step":1}', b'{"kind":"paused","st'])
def test_what_is_no_event_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError):
        from_line(line)
