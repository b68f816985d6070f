"""Pictures of runs and evaluations to take away. The only file that imports matplotlib, only its Figure: pyplot keeps global state."""

from __future__ import annotations

import base64
import io
import itertools
import math
import textwrap
from collections.abc import Sequence

import matplotlib
import matplotlib.image
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from resnet_demo.colours import OF_NETWORK
from resnet_demo.config import ArmConfig, RunConfig
from resnet_demo.evaluation.measurement import Measurement
from resnet_demo.inside.outcome import Outcome, Panel, Tile
from resnet_demo.training.events import ArmDiverged, Event, Measured, TrainingPoint

LINES = {True: "-", False: "--"}
COLOURS = {"plain": OF_NETWORK[False], "residual": OF_NETWORK[True], "neutral": "0.35"}
SMOOTHED_OVER = 10  # points
CONTOURS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)  # of the loss; widgets/inside.map.js draws the same
LABELLED = 40  # classes up to which a matrix has names and numbers


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


def evaluation(measurement: Measurement, title: str) -> Figure:
    """The confusion matrix of the classes that have pictures, and the reliability diagram."""
    figure = Figure(figsize=(12, 5.6), dpi=130, layout="constrained")
    matrix, diagram = figure.subplots(1, 2, width_ratios=(6, 5))
    present, colour = measurement.present, OF_NETWORK[measurement.about.architecture.residual]
    counts = [[measurement.scores.confusion[row][column] for column in present] for row in present]
    heat = [[count**0.5 for count in row] for row in counts]
    matrix.imshow(heat, cmap=LinearSegmentedColormap.from_list("heat", ["white", colour]), vmin=0)
    if len(present) <= LABELLED:
        names = [measurement.about.classes[index] for index in present]
        most = max(map(max, heat))
        for r, row in enumerate(counts):
            for c, count in enumerate(row):
                matrix.text(
                    c,
                    r,
                    str(count),
                    ha="center",
                    va="center",
                    fontsize=8,
                    color="white" if heat[r][c] > 0.6 * most else "black",
                )
        matrix.set_xticks(range(len(names)), names, rotation=90, parse_math=False)
        matrix.set_yticks(range(len(names)), names, parse_math=False)
    matrix.set_xlabel("answer", parse_math=False)
    matrix.set_ylabel("right class", parse_math=False)
    filled = [part for part in measurement.bins if part.images]
    lows, widths = [100 * part.low for part in filled], [100 * (part.high - part.low) for part in filled]
    diagram.bar(lows, [100 * part.accuracy for part in filled], widths, align="edge", color=colour, edgecolor="white")
    diagram.plot([0, 100], [0, 100], color="black", ls="--", lw=1)
    diagram.set_xlabel("confidence, %", parse_math=False)
    diagram.set_ylabel("right answers, %", parse_math=False)
    diagram.spines[["top", "right"]].set_visible(False)
    scores, (low, high) = measurement.scores, measurement.scores.interval
    right = f"{scores.accuracy:.2%} of {scores.images:,} right (95 % interval {low:.1%} to {high:.1%})"
    numbers = f"{right}, calibration error {measurement.ece:.2%}"
    figure.suptitle(f"{title} on {measurement.about.data}: {numbers}", parse_math=False, fontsize="medium")
    return figure


def experiment(outcome: Outcome, title: str) -> Figure:
    """The figures of an experiment, two beside each other, under the sentence that says what came out."""
    rows = -(-len(outcome.panels) // 2)
    figure = Figure(figsize=(11, 0.9 + 3.1 * rows), dpi=140, layout="constrained")
    places = figure.subplots(rows, min(2, len(outcome.panels)), squeeze=False).flat
    for panel, axes in itertools.zip_longest(outcome.panels, places):
        if panel is None or panel.form == "tiles":
            axes.set_axis_off()
        if panel is not None:
            _draw(axes, panel)
    figure.suptitle(f"{title}. {textwrap.fill(outcome.sentence, 130)}", parse_math=False, fontsize="medium")
    return figure


def _draw(axes: Axes, panel: Panel) -> None:
    axes.set_title(panel.title, parse_math=False, fontsize="medium")
    if panel.form == "tiles":
        _draw_tiles(axes, panel.tiles)
        return
    if panel.form == "map":
        _draw_map(axes, panel)
        return
    if panel.band:
        axes.axhspan(-panel.band, panel.band, color="0.9")
    width = 0.8 / len(panel.lines)
    for number, line in enumerate(panel.lines):
        xs, ys = zip(*line.points, strict=True)
        if panel.form == "bars":
            axes.bar([x - 0.4 + (number + 0.5) * width for x in xs], ys, width, color=COLOURS[line.kind], label=line.name)
        else:
            axes.plot(
                xs, ys, color=COLOURS[line.kind], label=line.name, ls=LINES[line.kind != "plain"], lw=0.9 if len(xs) > 100 else 2,
                marker={"plain": "s"}.get(line.kind, "o") if line.marks else None,
            )  # fmt: skip
    for value, label in panel.levels:
        axes.axhline(value, color="0.3", ls=":")
        axes.annotate(label, (1, value), xycoords=("axes fraction", "data"), ha="right", va="bottom", parse_math=False)
    if panel.labels:
        every = -(-len(panel.labels) // 10)
        axes.set_xticks(range(0, len(panel.labels), every), panel.labels[::every], fontsize="x-small", parse_math=False)
    if panel.limits is not None:
        axes.set_ylim(*panel.limits)
    _name(axes, panel.y, panel.x)


def _draw_map(axes: Axes, panel: Panel) -> None:
    """Heights as shades of the network's colour, dark where they are low, with contours at round losses."""
    side = len(panel.axis)
    heights = [[math.log10(max(value, 1e-3)) for value in panel.heights[row * side : (row + 1) * side]] for row in range(side)]
    shades = LinearSegmentedColormap.from_list("heights", [COLOURS[panel.kind], "white"])
    lowest, highest = (math.log10(max(value, 1e-3)) for value in panel.limits or (min(panel.heights), max(panel.heights)))
    axes.imshow(heights, cmap=shades, origin="lower", extent=(-1, 1, -1, 1), vmin=lowest, vmax=highest)
    levels = [level for level in map(math.log10, CONTOURS) if min(map(min, heights)) < level < max(map(max, heights))]
    if levels:
        lines = axes.contour(panel.axis, panel.axis, heights, levels=levels, colors="0.2", linewidths=0.8)
        axes.clabel(lines, fmt=lambda level: f"{10**level:g}", fontsize="x-small")
    axes.plot([0], [0], "+", color="black")
    axes.set_xlabel(panel.x, parse_math=False)
    axes.set_ylabel(panel.y, parse_math=False)


def _draw_tiles(axes: Axes, tiles: Sequence[Tile]) -> None:
    """Beside each other in one figure, eight in a row."""
    for number, tile in enumerate(tiles):
        row, column = divmod(number, 8)
        pixels = matplotlib.image.imread(io.BytesIO(base64.b64decode(tile.src.partition(",")[2])), format="png")
        axes.imshow(pixels, extent=(column, column + 0.9, -row - 0.9, -row), cmap="gray", interpolation="nearest")
        axes.annotate(f"{tile.title} {tile.note}", (column, -row - 0.9), va="top", fontsize=5, parse_math=False)
    axes.set_xlim(0, min(8, len(tiles)))
    axes.set_ylim(-math.ceil(len(tiles) / 8) - 0.2, 0)


def to_png(figure: Figure) -> bytes:
    """The figure as a PNG file."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return file.getvalue()


def _style(arm: ArmConfig, depths: list[int]) -> dict[str, object]:
    return {
        "color": OF_NETWORK[arm.model.residual],
        "ls": LINES[arm.model.residual],
        "lw": 1.2 + depths.index(arm.model.depth),
        "label": f"{arm.model.kind}-{arm.model.depth}, seed {arm.seed}",
    }


def _smoothed(values: list[float]) -> list[float]:
    return [
        sum(part) / len(part)
        for part in (values[max(0, end - SMOOTHED_OVER) : end] for end in range(1, len(values) + 1))
    ]  # fmt: skip


def _name(axes: Axes, what: str, along: str = "step") -> None:
    axes.set_xlabel(along, parse_math=False)
    axes.set_ylabel(what, parse_math=False)
    axes.spines[["top", "right"]].set_visible(False)
    legend = axes.legend(frameon=False, fontsize="small")
    for text in legend.get_texts():
        text.set_parse_math(False)
