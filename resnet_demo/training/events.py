"""The events of a run: frozen, typed, serializable. No torch here.

The loop yields them, the record stores them as lines of JSON, and readers of the record parse them again. Losses may be
inf or nan; both survive the round trip. `step` is the number of batches that the run has trained on.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

Split = Literal["test", "held-out"]
BaselineName = Literal["linear probe", "nearest class mean", "from scratch"]
PhaseName = Literal["head", "fine-tuning", "scratch"]


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
    threads: int  # of the process; networks that train in parallel share them
    processes: int = 1
    torch: str
    commit: str = ""
    parameters: dict[str, int]
    skipped: tuple[str, ...] = ()  # files of the data folder that cannot be read as pictures


class Fetching(_Event):
    """The run waits for data from the Hub: bytes of the current file."""

    kind: Literal["fetching"] = "fetching"
    step: int = 0
    what: str
    done: int
    total: int


class Resized(_Event):
    """From this step on, the run trains and measures on images of this side in pixels (progressive resizing)."""

    kind: Literal["resized"] = "resized"
    step: int
    side: int


class FeaturesComputed(_Event):
    """So many pictures have passed through a network that does not learn: for the features it trains on, or for the report."""

    kind: Literal["features"] = "features"
    step: int = 0
    purpose: Literal["training", "report"] = "training"
    done: int  # pictures, each view of one counted
    total: int
    cached: int  # of those done


class PhaseStarted(_Event):
    """From this step on, a transfer trains these arms: its head, the network with its last stages, or one from scratch."""

    kind: Literal["phase"] = "phase"
    step: int
    name: PhaseName
    arms: tuple[str, ...]
    last: int  # the step with which the phase ends


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


class Baseline(BaseModel):
    """What a simpler way reaches on the same test pictures, beside the transferred network."""

    model_config = ConfigDict(frozen=True)

    name: BaselineName
    arm: str = ""  # of the run, if it was trained
    test_accuracy: float
    only_transfer: int  # pictures that only the transferred network has right
    only_baseline: int  # pictures that only the baseline has right
    p: float  # of a difference like this or larger by chance: McNemar's exact test


class TransferMeasured(_Event):
    """The results of a transfer, measured once, at its end; fractions of 1, macro averages (evaluation/metrics.py)."""

    kind: Literal["transfer"] = "transfer"
    step: int
    arm: str
    classes: tuple[str, ...]
    train_accuracy: float
    validation_accuracy: float | None
    test_images: int
    test_accuracy: float
    interval: tuple[float, float]  # Wilson's, 95 %, of the test accuracy
    precision: float
    recall: float
    f1: float
    confusion: tuple[tuple[int, ...], ...]
    baselines: tuple[Baseline, ...] = ()
    seconds: float


class Diagnosed(_Event):
    """By layer, first to last: norm of the gradient, and standard deviation of the response (Figure 7)."""

    kind: Literal["diagnosed"] = "diagnosed"
    step: int
    arm: str
    layers: tuple[str, ...]
    gradient_norms: tuple[float, ...]
    response_deviations: tuple[float, ...]


class Progress(_Event):
    """The speed of the run: images a second over all arms, seconds left, memory in use."""

    kind: Literal["progress"] = "progress"
    step: int
    images_per_second: float
    seconds_left: float
    memory_mb: float


class ArmDiverged(_Event):
    """An arm's loss is inf or nan. This arm stops; the others continue."""

    kind: Literal["diverged"] = "diverged"
    step: int
    arm: str
    loss: float


class CheckpointSaved(_Event):
    """The state of the run after this step is on disk."""

    kind: Literal["checkpoint"] = "checkpoint"
    step: int


class RunPaused(_Event):
    """The run waits until it is resumed."""

    kind: Literal["paused"] = "paused"
    step: int


class RunStopped(_Event):
    """The run was stopped before its last step; its weights are saved."""

    kind: Literal["stopped"] = "stopped"
    step: int
    seconds: float


class RunFinished(_Event):
    """The run trained all its steps."""

    kind: Literal["finished"] = "finished"
    step: int
    seconds: float


class RunFailed(_Event):
    """The run cannot continue; `reason` is a sentence for the user."""

    kind: Literal["failed"] = "failed"
    step: int
    reason: str


Event = (
    RunStarted | Fetching | FeaturesComputed | PhaseStarted | Resized | TrainingPoint | Measured | TransferMeasured | Diagnosed
    | Progress | ArmDiverged | CheckpointSaved | RunPaused | RunStopped | RunFinished | RunFailed
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
