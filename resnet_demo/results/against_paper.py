"""The paper's tables beside what this project measured or counted, and what differs; Figures 6 and 7 as plain values.

No torch here. Each number is the paper's (paper/tables.py), counted (model/cost.py), or read from the models that ship
(shipped.py); where there is none, the line says so.
"""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from resnet_demo.config import ModelConfig
from resnet_demo.model.cost import cost
from resnet_demo.paper import tables
from resnet_demo.paper.tables import RELEASED, TABLES, Row, Table
from resnet_demo.results.shipped import Curve, ShippedModel
from resnet_demo.words import enumeration
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

    @property
    def name(self) -> str:
        """'Table 3', or what the table is where it is not the paper's."""
        name = self.source.rpartition(", ")[2]
        return name if name.startswith("Table") else "The authors' released weights"


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
            "title": f"{kind.capitalize()} networks", "x": "step", "y": "error, %", "from_zero": True,
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
                "name": _title(model), "kind": model.config.kind, "depth": model.config.depth, "thin": False,
                "points": _numbered(sorted(model.responses, reverse=True) if ranked else model.responses),
            }
            for model in drawn
        ]  # fmt: skip

    axes = {"y": "standard deviation", "from_zero": True}
    panels = [
        {"title": "In the order of the layers", "x": "layer", "series": series(False), **axes},
        {"title": "By size", "x": "rank", "series": series(True), **axes},
    ]
    return {"label": "Figure 7, computed from the weights that ship: responses of the layers", "panels": panels}


def _numbered(values: Sequence[float]) -> Curve:
    return tuple(enumerate(values, 1))


def sentences_on_figure_6(models: Sequence[ShippedModel]) -> list[str]:
    """What the curves show, computed, where networks were trained alike; and what is missing."""
    sentences = [
        f"At {depth} layers the plain network ends at {plain.test_error:.2f} % of the test images wrong, the residual one at "
        f"{residual.test_error:.2f} %."
        for depth, plain, residual in _pairs(models)
    ]
    for kind in ("plain", "residual"):
        groups = _trained_alike([model for model in models if model.config.kind == kind])
        for low, *_, high in (group for group in groups if len(group) > 1):
            change = "rises" if high.test_error > low.test_error else "falls"
            sentences.append(
                f"From {low.config.depth} to {high.config.depth} layers the {kind} error {change} from {low.test_error:.2f} to "
                f"{high.test_error:.2f} %."
            )
        if len(groups) > 1:
            first, *others = groups
            sentences.append(
                f"The errors of {_titles(first)} do not compare with those of {_titles(itertools.chain(*others))}, which were "
                "trained differently."
            )
    resized = [model for model in models if model.curves is not None and model.curves.full_size_from]
    if resized:
        step = max(model.curves.full_size_from for model in resized if model.curves is not None)
        sentences.append(f"{_titles(resized)} trained on smaller pictures first, at full size from step {step:,} on.")
    undrawn = [model for model in models if model.curves is None]
    if undrawn:
        sentences.append(f"Of {_names(undrawn)} no record with measurements ships, so nothing is drawn.")
    depths = {model.config.depth for model in models if model.curves is not None}
    missing = [str(depth) for depth in (20, 32, 44, 56, 110) if depth not in depths]
    if missing:
        sentences.append(f"Of the paper's depths, no record ships of {enumeration(missing)} layers.")
    return sentences


def sentences_on_figure_7(models: Sequence[ShippedModel]) -> list[str]:
    """What the responses show, computed, where networks were trained alike; and which models have none."""
    sentences = []
    computed = [model for model in models if model.responses]
    for depth, plain, residual in _pairs(computed):
        smaller = sum(r < p for p, r in zip(plain.responses, residual.responses, strict=True))
        sentences.append(
            f"At {depth} layers the mean is {statistics.fmean(residual.responses):.2f} in the residual network and "
            f"{statistics.fmean(plain.responses):.2f} in the plain one; {smaller} of {len(plain.responses)} layers respond less "
            "in the residual one."
        )
    for low, *_, high in (group for group in _trained_alike([m for m in computed if m.config.residual]) if len(group) > 1):
        sentences.append(
            f"The mean of {_title(low)} is {statistics.fmean(low.responses):.2f}, that of {_title(high)}, trained alike, "
            f"{statistics.fmean(high.responses):.2f}."
        )
    missing = [model for model in models if not model.responses]
    if missing:
        sentences.append(f"Not computed yet for {_names(missing)} (`python -m resnet_demo.paper.layer_responses`).")
    return sentences


def _title(model: ShippedModel) -> str:
    return f"{model.config.kind}-{model.config.depth}"


def _titles(models: Iterable[ShippedModel]) -> str:
    return enumeration([_title(model) for model in models])


def _names(models: Sequence[ShippedModel]) -> str:
    return enumeration([model.name for model in models])


def _pairs(models: Sequence[ShippedModel]) -> Iterator[tuple[int, ShippedModel, ShippedModel]]:
    """Depth, plain and residual network of each pair that was trained alike; the first pair of each depth."""
    depths: set[int] = set()
    for plain, residual in itertools.product(models, models):
        depth = plain.config.depth
        is_pair = (plain.config.residual, residual.config.residual, residual.config.depth) == (False, True, depth)
        if is_pair and depth not in depths and plain.differences == residual.differences:
            depths.add(depth)
            yield depth, plain, residual


def _trained_alike(models: Sequence[ShippedModel]) -> list[list[ShippedModel]]:
    """The models in groups that were trained in the same way, one of each depth, shallowest first."""
    groups: dict[str, dict[int, ShippedModel]] = {}
    for model in sorted(models, key=lambda model: model.config.depth):
        groups.setdefault(model.differences, {}).setdefault(model.config.depth, model)
    return [list(group.values()) for group in groups.values()]
