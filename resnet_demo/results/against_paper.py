"""The paper's tables beside what this project measured or counted, and what differs; Figures 6 and 7 as plain values.

No torch here. Each number is the paper's (paper/tables.py), counted (model/cost.py), or read from the models that ship
(shipped.py); where there is none, the line says so.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from resnet_demo.config import ModelConfig
from resnet_demo.model.cost import cost
from resnet_demo.paper import tables
from resnet_demo.paper.tables import RELEASED, TABLES, Row, Table
from resnet_demo.results.shipped import Curve, ShippedModel
from resnet_demo.zoo.catalogue import TIMM_RECIPES, TIMM_TOP1

NOT_HERE = "not measured here"
NOT_PRINTED = "not printed, only drawn in Figure 6"
ONE_RUN = "one run"
NO_DETECTOR = "This project has no detector."


@dataclass(frozen=True)
class Line:
    """A network in a table: the paper's numbers, this project's, and what differs.

    `models` are the names of the models that were measured.
    """

    network: str
    paper: str
    here: str
    differs: str
    models: tuple[str, ...] = ()


@dataclass(frozen=True)
class Comparison:
    """A table of the paper with this project's numbers."""

    source: str
    title: str
    metrics: str
    conditions: str
    lines: tuple[Line, ...]


def comparisons(models: Sequence[ShippedModel]) -> tuple[Comparison, ...]:
    """The paper's tables in its order; the authors' released weights follow Table 4."""
    first_four, others = TABLES[:4], TABLES[4:]
    return tuple(_comparison(table, models) for table in (*first_four, RELEASED, *others))


def _comparison(table: Table, models: Sequence[ShippedModel]) -> Comparison:
    lines = [_line(table, row, models) for row in table.rows]
    if table is tables.TABLE_6:
        lines += _unprinted(models)
    return Comparison(table.source, table.title, "; ".join(table.metrics), table.conditions, tuple(lines))


def _line(table: Table, row: Row, models: Sequence[ShippedModel]) -> Line:
    paper = " / ".join(_printed(value, metric, row.digits) for value, metric in zip(row.values, table.metrics, strict=True))
    paper += f" ({row.note})" if row.note else ""
    if table is tables.TABLE_1 and row.config is not None:
        return Line(row.method, paper, f"{_billions(row.config)} (counted)", _other_conventions(row.config))
    if table is tables.TABLE_6 and row.config is not None:
        return _measured(row.method, paper, row.config, models)
    if table is tables.TABLE_7 or table is tables.TABLE_8:
        return Line(row.method, paper, NOT_HERE, NO_DETECTOR)
    return Line(row.method, paper, NOT_HERE, _timm(row.config) if table in (tables.TABLE_3, RELEASED) else "")


def _printed(value: float | None, metric: str, digits: int) -> str:
    """A number as the paper prints it."""
    if value is None:
        return "–"
    if metric == tables.PARAMETERS:
        return f"{value:g}"
    return f"{value:.{digits if metric in tables.ERRORS else 1}f}"


def _billions(config: ModelConfig) -> str:
    return f"{cost(config).multiply_adds / 1e9:.2f}"


def _other_conventions(config: ModelConfig) -> str:
    """The multiply-adds of the same network built in the other way."""
    if config.block == "bottleneck":
        return f"{_billions(config.model_copy(update={'stride_in': '3x3'}))} with the stride in the 3×3 layer, torchvision's ('v1.5')"
    return (
        f"{_billions(config.model_copy(update={'shortcut': 'B'}))} with shortcuts of option B, torchvision's; this is option A"
    )


def _timm(config: ModelConfig | None) -> str:
    """What timm publishes of weights that the page offers; not the paper's training, and not measured here."""
    if config is None or not config.residual or config.shortcut == "A":
        return ""
    errors = [
        f"{100 * (1 - accuracies[config.depth]):.2f} ({TIMM_RECIPES[recipe]})" for recipe, accuracies in TIMM_TOP1.items()
    ]
    return f"Other weights, by timm's table, top-1 at one crop of 224: {', '.join(errors)}."


def _measured(network: str, paper: str, config: ModelConfig, models: Sequence[ShippedModel]) -> Line:
    """A network of section 4.2: its parameters, counted, and the errors of the models that ship."""
    parameters = f"{cost(config).parameters / 1e6:.2f} (counted)"
    own = [model for model in models if model.config == config]
    if not own:
        return Line(network, paper, f"{parameters} / {NOT_HERE}", "")
    errors = ", ".join(f"{model.test_error:.2f}" for model in own)
    return Line(
        network, paper, f"{parameters} / {errors}", " ".join(_conditions(model) for model in own),
        tuple(model.name for model in own),
    )  # fmt: skip


def _conditions(model: ShippedModel) -> str:
    return f"{model.name}: {ONE_RUN}; {model.differences or 'its card does not say what differs from section 4.2'}."


def _unprinted(models: Sequence[ShippedModel]) -> Iterator[Line]:
    """The networks of this project of which Table 6 has no number."""
    listed = {row.config for row in tables.TABLE_6.rows if row.config is not None}
    for config in dict.fromkeys(model.config for model in models if model.config not in listed):
        kind = "ResNet" if config.residual else "plain"
        is_drawn = not config.residual and config == ModelConfig.named(config.name) and config.depth in (20, 32, 44, 56)
        paper = NOT_PRINTED if is_drawn else "not in the paper"
        yield _measured(f"{kind}-{config.depth}", paper, config, models)


def figure_6(models: Sequence[ShippedModel]) -> dict[str, Any]:
    """Training and test errors over the steps, plain networks left, residual ones right, for the widget that draws charts."""
    drawn = [(model, model.curves) for model in models if model.curves is not None]
    panels = [
        {
            "title": f"{kind} networks", "x": "step", "y": "error, %", "from_zero": True,
            "series": [
                {"name": name, "kind": kind, "depth": model.config.depth, "thin": thin, "points": points}
                for model, curves in drawn
                if model.config.residual == (kind == "residual")
                for name, thin, points in (
                    (f"{kind}-{model.config.depth}, training", True, curves.training),
                    (f"{kind}-{model.config.depth}, test", False, curves.test),
                )
            ],
        }
        for kind in ("plain", "residual")
    ]  # fmt: skip
    return {"label": "Figure 6, from this project's records: errors during training", "panels": panels}


def figure_7(models: Sequence[ShippedModel]) -> dict[str, Any]:
    """Standard deviations of the layers' responses, in the order of the layers and by size, for the widget that draws charts."""
    drawn = [model for model in models if model.responses]

    def series(ranked: bool) -> list[dict[str, Any]]:
        return [
            {
                "name": f"{_kind(model)}-{model.config.depth}", "kind": _kind(model), "depth": model.config.depth, "thin": False,
                "points": _numbered(sorted(model.responses, reverse=True) if ranked else model.responses),
            }
            for model in drawn
        ]  # fmt: skip

    axes = {"y": "standard deviation", "from_zero": True}
    panels = [
        {"title": "in the order of the layers", "x": "layer", "series": series(False), **axes},
        {"title": "by size", "x": "rank", "series": series(True), **axes},
    ]
    return {"label": "Figure 7, computed from the weights that ship: responses of the layers", "panels": panels}


def _numbered(values: Sequence[float]) -> Curve:
    return tuple(enumerate(values, 1))


def _kind(model: ShippedModel) -> str:
    return "residual" if model.config.residual else "plain"


def _pairs(models: Sequence[ShippedModel]) -> Iterator[tuple[int, ShippedModel, ShippedModel]]:
    """Depth, plain and residual network of each depth of which both ship; the first of each."""
    first: dict[tuple[int, bool], ShippedModel] = {}
    for model in models:
        first.setdefault((model.config.depth, model.config.residual), model)
    for depth, residual in first:
        if not residual and (depth, True) in first:
            yield depth, first[depth, False], first[depth, True]


def sentences_on_figure_6(models: Sequence[ShippedModel]) -> list[str]:
    """What the curves show, computed: the two errors of each depth, how often the test images were measured, what is missing."""
    sentences = [
        f"At {depth} layers the plain network ends at {plain.test_error:.2f} % of the test images wrong, the residual one at "
        f"{residual.test_error:.2f} %."
        for depth, plain, residual in _pairs(models)
    ]
    for kind, residual in (("plain", False), ("residual", True)):
        of_kind = {model.config.depth: model.test_error for model in models if model.config.residual == residual}
        if len(of_kind) > 1:
            low, high = min(of_kind), max(of_kind)
            change = "rises" if of_kind[high] > of_kind[low] else "falls"
            sentences.append(
                f"From {low} to {high} layers the {kind} error {change} from {of_kind[low]:.2f} to {of_kind[high]:.2f} %."
            )
    for model in models:
        if model.curves is None:
            sentences.append(f"No record of {model.name} with measurements ships, so it is not drawn.")
        elif model.curves.full_size_from:
            sentences.append(
                f"{model.name} trained on smaller pictures before step {model.curves.full_size_from:,}: compare its errors only "
                "after that."
            )
    depths = {model.config.depth for model in models if model.curves is not None}
    missing = [str(depth) for depth in (20, 32, 44, 56, 110) if depth not in depths]
    if missing:
        sentences.append(f"Of the paper's depths, {', '.join(missing)} have no record here.")
    return sentences


def sentences_on_figure_7(models: Sequence[ShippedModel]) -> list[str]:
    """What the responses show, computed, and which models have none."""
    sentences = []
    for depth, plain, residual in _pairs([model for model in models if model.responses]):
        smaller = sum(r < p for p, r in zip(plain.responses, residual.responses, strict=True))
        sentences.append(
            f"At {depth} layers the mean is {statistics.fmean(residual.responses):.2f} in the residual network and "
            f"{statistics.fmean(plain.responses):.2f} in the plain one; {smaller} of {len(plain.responses)} layers respond less "
            "in the residual one."
        )
    residual_means = {
        model.config.depth: statistics.fmean(model.responses) for model in models if model.responses and model.config.residual
    }
    if len(residual_means) > 1:
        low, high = min(residual_means), max(residual_means)
        sentences.append(
            f"The mean of the residual networks goes from {residual_means[low]:.2f} at {low} layers to "
            f"{residual_means[high]:.2f} at {high}."
        )
    missing = [model.name for model in models if not model.responses]
    if missing:
        sentences.append(f"Not computed yet for {', '.join(missing)} (`python -m resnet_demo.paper.layer_responses`).")
    return sentences
