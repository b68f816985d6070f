"""What came out of an experiment, in the form that the page, the CSV file and the picture share. No torch here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from resnet_demo import csv_file
from resnet_demo.inside.request import InsideRequest

Kind = Literal["plain", "residual", "neutral"]


@dataclass(frozen=True)
class Line:
    """A line, or the bars, of one network.

    Args:
        name: of the network.
        kind: decides on colour and dashes.
        points: (x, y); of bars, x is the number of a label.
        marks: whether each point has a mark.
    """

    name: str
    kind: Kind
    points: tuple[tuple[float, float], ...]
    marks: bool = False


@dataclass(frozen=True)
class Tile:
    """A picture: a data: URL with a title, and a number if it has one."""

    title: str
    src: str
    note: str = ""
    value: float | None = None


@dataclass(frozen=True)
class Panel:
    """A figure of one form.

    Args:
        title: of the figure.
        form: lines, bars, tiles or map.
        x: what the horizontal axis shows.
        y: what the vertical axis shows.
        lines: of "lines" and "bars".
        labels: of bars, by number.
        limits: of the vertical axis, or of the shades of a "map"; by default the range of the values.
        levels: horizontal lines, (value, label).
        band: the range from -band to band is shaded.
        tiles: of "tiles".
        axis: of "map", the places on each side of a square.
        heights: of "map", the values at these places, row by row.
        kind: of "map", the kind of network.
        wide: whether the figure takes the whole width.
    """

    title: str
    form: Literal["lines", "bars", "tiles", "map"] = "lines"
    x: str = ""
    y: str = ""
    lines: tuple[Line, ...] = ()
    labels: tuple[str, ...] = ()
    limits: tuple[float, float] | None = None
    levels: tuple[tuple[float, str], ...] = ()
    band: float = 0.0
    tiles: tuple[Tile, ...] = ()
    axis: tuple[float, ...] = ()
    heights: tuple[float, ...] = ()
    kind: Kind = "neutral"
    wide: bool = False


@dataclass(frozen=True)
class Outcome:
    """What came out.

    Args:
        sentence: says it, computed from the numbers.
        conditions: how they were computed.
        panels: the figures.
    """

    sentence: str
    conditions: str
    panels: tuple[Panel, ...]


def frame(request: InsideRequest) -> dict[str, Any]:
    """What the page shows of an experiment before anything is computed."""
    about = request.about
    return {
        "experiment": request.experiment, "title": about.title, "question": about.question, "reference": about.reference,
        "link": about.link, "caveat": about.caveat, "query": request.query,
    }  # fmt: skip


def page(request: InsideRequest, outcome: Outcome) -> dict[str, Any]:
    """The experiment as plain values for the page."""
    return {"state": "result", **frame(request), **asdict(outcome)}


def to_csv(outcome: Outcome) -> bytes:
    """A row for each number: figure, line, x, y."""
    return csv_file.to_csv(("figure", "line", "x", "y"), (row for panel in outcome.panels for row in _rows(panel)))


def _rows(panel: Panel) -> Iterator[tuple[object, ...]]:
    for line in panel.lines:
        for x, y in line.points:
            yield panel.title, line.name, panel.labels[int(x)] if panel.labels else x, y
    for number, height in enumerate(panel.heights):
        row, column = divmod(number, len(panel.axis))
        yield panel.title, f"second direction {panel.axis[row]}", panel.axis[column], height
    for number, tile in enumerate(panel.tiles, 1):
        yield panel.title, tile.title, number, tile.note if tile.value is None else tile.value
