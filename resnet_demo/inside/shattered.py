"""Shattered gradients: what the gradients along a line between two pictures show. gradients.py computes them. No torch here."""

from __future__ import annotations

from pathlib import Path

import numpy
from pydantic import Field

from resnet_demo.files import read_text
from resnet_demo.inside.outcome import Kind, Line, Outcome, Panel
from resnet_demo.parsing import Frozen, parse

SHIPPED = Path(__file__).parent / "gradients.json"
POINTS = 256
LAGS = 40
"""The most points between two whose gradients are compared."""
NOISE = 1.96 / POINTS**0.5
"""The autocorrelation of 256 independent numbers stays within this range at 19 of 20 lags."""


class Gradients(Frozen):
    """The derivative of a logit along the line, at each point, of a plain and a residual network of one depth."""

    plain: tuple[float, ...] = Field(strict=False)
    residual: tuple[float, ...] = Field(strict=False)


class ShippedGradients(Frozen):
    """The gradients that ship, by depth, all with seed 0."""

    by_depth: dict[str, Gradients]


def shipped() -> dict[int, Gradients]:
    """The gradients that ship, by depth."""
    content = parse(ShippedGradients, read_text(SHIPPED))
    return {int(depth): gradients for depth, gradients in content.by_depth.items()}


def autocorrelation(values: tuple[float, ...], lags: int = LAGS) -> list[float]:
    """The correlation of a sequence with itself, 0 to `lags` points apart; the first is 1."""
    deviations = numpy.asarray(values) - numpy.mean(values)
    power = float(deviations @ deviations)
    return [float(deviations[: len(deviations) - lag] @ deviations[lag:]) / power for lag in range(lags + 1)]


def outcome(depth: int, seed: int, gradients: Gradients, by_depth: dict[int, Gradients]) -> Outcome:
    """What the gradients show.

    Args:
        depth: of both networks.
        seed: of both networks.
        gradients: of that depth.
        by_depth: of other depths, for the figure that compares them.
    """
    correlations = {kind: autocorrelation(values) for kind, values in _kinds(gradients).items()}
    names = {"plain": f"plain-{depth}", "residual": f"residual-{depth}"}
    along = [
        Panel(
            f"The gradient of {names[kind]}", x="from the cat to the ship", y="in standard deviations",
            lines=(Line(names[kind], kind, _scaled(values)),),
        )
        for kind, values in _kinds(gradients).items()
    ]  # fmt: skip
    by_lag = Panel(
        "Two points of the line, by distance", x="points apart, of 256", y="autocorrelation", band=NOISE, limits=(-0.4, 1.05),
        lines=tuple(Line(names[kind], kind, tuple(enumerate(values))) for kind, values in correlations.items()),
    )  # fmt: skip
    neighbours = Panel(
        "Two neighbouring points, by depth", x="layers", y="autocorrelation", band=NOISE, limits=(-0.4, 1.05),
        lines=tuple(_by_depth(kind, by_depth) for kind in correlations),
    )  # fmt: skip
    conditions = (
        f"Untrained networks with the same initial weights, seed {seed}. The derivative of the first class's logit at 256 points on the "
        "straight line between two test pictures of CIFAR-10, with batch normalization by the statistics of these points. The shaded "
        f"range holds 19 of 20 values of pure noise (±{NOISE:.2f}). The last figure has seed 0."
    )
    return Outcome(_sentence(depth, gradients, correlations), conditions, (*along, by_lag, neighbours))


def _kinds(gradients: Gradients) -> dict[Kind, tuple[float, ...]]:
    return {"plain": gradients.plain, "residual": gradients.residual}


def _scaled(values: tuple[float, ...]) -> tuple[tuple[float, float], ...]:
    deviation = float(numpy.std(values))
    return tuple((round(n / (len(values) - 1), 4), round(value / deviation, 4)) for n, value in enumerate(values))


def _by_depth(kind: Kind, by_depth: dict[int, Gradients]) -> Line:
    points = tuple((depth, autocorrelation(_kinds(gradients)[kind], 1)[1]) for depth, gradients in sorted(by_depth.items()))
    return Line(kind, kind, points, marks=True)


def _sentence(depth: int, gradients: Gradients, correlations: dict[Kind, list[float]]) -> str:
    plain, residual = (_signed(correlations[kind][1]) for kind in ("plain", "residual"))
    if abs(correlations["plain"][1]) <= NOISE:
        comparison = (
            f"At {depth} layers the plain network's gradient at one point says nothing about the next one: their correlation is {plain}, "
            f"no more than noise. In the residual network it is {residual}."
        )
    else:
        comparison = (
            f"At {depth} layers the gradients at neighbouring points correlate by {plain} in the plain network and by {residual} in the "
            "residual one."
        )
    ratio = float(numpy.std(gradients.plain) / numpy.std(gradients.residual))
    if ratio < 2:
        return comparison
    return f"{comparison} The plain network's gradient is also {ratio:,.0f} times as large."


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
