"""What happens in a run: the whole vocabulary, frozen and plain. No torch here.

The loop yields these, the record stores them as lines of JSON, and whoever watches reads them back.
Losses may be inf or nan and survive the round trip. `step` counts the batches trained on so far.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Split = Literal["test", "held-out"]


class _Event(BaseModel):
    model_config = ConfigDict(frozen=True, ser_json_inf_nan="constants")


class RunStarted(_Event):
    """The first event, and again after each resume: where and how the run trains."""

    kind: Literal["started"] = "started"
    time: str
    step: int = 0
    steps: int
    steps_per_epoch: int
    device: str
    precision: Literal["fp32", "bf16"]
    threads: int  # of the process; networks that learn at the same time share them out
    processes: int = 1
    torch: str
    commit: str = ""
    parameters: dict[str, int]
    skipped: tuple[str, ...] = ()  # files of the data folder that cannot be read as pictures


class Fetching(_Event):
    """The data come from the Hub before the run can begin: bytes of the file that is on its way."""

    kind: Literal["fetching"] = "fetching"
    step: int = 0
    what: str
    done: int
    total: int


class Resized(_Event):
    """From this step on the run trains, and measures, on pictures of this side in pixels (progressive resizing)."""

    kind: Literal["resized"] = "resized"
    step: int
    side: int


class TrainingPoint(_Event):
    """Mean loss and error of an arm on the training batches since its last point."""

    kind: Literal["training"] = "training"
    step: int
    arm: str
    loss: float
    error: float
    learning_rate: float


class Measured(_Event):
    """Loss and error of an arm on the test images (or the held-out ones, if the run has any)."""

    kind: Literal["measured"] = "measured"
    step: int
    arm: str
    split: Split
    loss: float
    error: float


class Diagnosed(_Event):
    """By layer, first to last: norm of the gradient, and standard deviation of the response (Figure 7)."""

    kind: Literal["diagnosed"] = "diagnosed"
    step: int
    arm: str
    layers: tuple[str, ...]
    gradient_norms: tuple[float, ...]
    response_deviations: tuple[float, ...]


class Progress(_Event):
    """How fast the run is: pictures a second over all arms, seconds left, memory in use."""

    kind: Literal["progress"] = "progress"
    step: int
    images_per_second: float
    seconds_left: float
    memory_mb: float


class ArmDiverged(_Event):
    """An arm's loss is inf or nan; it stops, the others go on."""

    kind: Literal["diverged"] = "diverged"
    step: int
    arm: str
    loss: float


class CheckpointSaved(_Event):
    """All that is needed to go on from this step is on disk."""

    kind: Literal["checkpoint"] = "checkpoint"
    step: int


class RunPaused(_Event):
    """The run waits until it is resumed."""

    kind: Literal["paused"] = "paused"
    step: int


class RunStopped(_Event):
    """The run was stopped before its end; what was learnt is kept."""

    kind: Literal["stopped"] = "stopped"
    step: int
    seconds: float


class RunFinished(_Event):
    """The run trained all its steps."""

    kind: Literal["finished"] = "finished"
    step: int
    seconds: float


class RunFailed(_Event):
    """The run cannot go on; `reason` is a sentence for a person."""

    kind: Literal["failed"] = "failed"
    step: int
    reason: str


Event = (
    RunStarted | Fetching | Resized | TrainingPoint | Measured | Diagnosed | Progress | ArmDiverged
    | CheckpointSaved | RunPaused | RunStopped | RunFinished | RunFailed
)  # fmt: skip

_any_event: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="kind")])


def to_line(event: Event) -> bytes:
    """One line of JSON, with its newline."""
    return event.model_dump_json().encode() + b"\n"


def from_line(line: bytes | str) -> Event:
    """The event that `to_line` wrote.

    Raises:
        ValueError: the line is torn or not an event.
    """
    return _any_event.validate_json(line)
