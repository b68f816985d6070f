"""Pictures of curves to take away. The only file that imports matplotlib, and only its Figure: pyplot keeps global state."""

from __future__ import annotations

import io
from collections.abc import Sequence

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from resnet_demo.colours import OF_NETWORK
from resnet_demo.config import ArmConfig, RunConfig
from resnet_demo.training.events import ArmDiverged, Event, Measured, TrainingPoint

LINES = {True: "-", False: "--"}
SMOOTHED_OVER = 10  # points


def draw_without_a_display() -> None:
    """Choose Matplotlib's backend for the whole process; to be called before threads are at work.

    Gradio asks Matplotlib for its backend in each request, and Captum imports pyplot in the thread that loads it. Where
    both begin at once, Python breaks the deadlock of their locks by giving one of them half a module, and every later
    request answers 500. With the backend chosen there is nothing left to import for Gradio.
    """
    matplotlib.use("agg")


def curves(config: RunConfig, events: Sequence[Event]) -> Figure:
    """Training loss and test error of every arm over the steps, smoothed over ten points; deeper networks are drawn thicker."""
    figure = Figure(figsize=(10, 4.2), dpi=150, layout="constrained")
    loss, error = figure.subplots(1, 2)
    depths = sorted({arm.model.depth for arm in config.arms})
    for arm in config.arms:
        style = _style(arm, depths)
        points = [event for event in events if isinstance(event, TrainingPoint) and event.arm == arm.name]
        loss.plot([point.step for point in points], _smoothed([point.loss for point in points]), **style)
        measured = [event for event in events if isinstance(event, Measured) and event.arm == arm.name]
        error.plot([event.step for event in measured], [100 * event.error for event in measured], marker="o", ms=3, **style)
    for event in events:
        if isinstance(event, ArmDiverged):
            loss.axvline(event.step, color="0.5", lw=0.8)
            loss.annotate(f"{event.arm} diverged", (event.step, 0.02), xycoords=("data", "axes fraction"), parse_math=False)
    _name(loss, "training loss")
    _name(error, "test error, %")
    figure.suptitle(config.title, parse_math=False)
    return figure


def to_png(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _style(arm: ArmConfig, depths: list[int]) -> dict[str, object]:
    kind = "residual" if arm.model.residual else "plain"
    return {
        "color": OF_NETWORK[arm.model.residual],
        "ls": LINES[arm.model.residual],
        "lw": 1.2 + depths.index(arm.model.depth),
        "label": f"{kind}-{arm.model.depth}, seed {arm.seed}",
    }


def _smoothed(values: list[float]) -> list[float]:
    return [
        sum(part) / len(part)
        for part in (values[max(0, end - SMOOTHED_OVER) : end] for end in range(1, len(values) + 1))
    ]  # fmt: skip


def _name(axes: Axes, what: str) -> None:
    axes.set_xlabel("step", parse_math=False)
    axes.set_ylabel(what, parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    legend = axes.legend(frameon=False, fontsize="small")
    for text in legend.get_texts():
        text.set_parse_math(False)
