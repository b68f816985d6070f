"""An evaluation to take away: all numbers as CSV and JSON, and a report in Markdown or as one HTML file. No torch here."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from resnet_demo import csv_file
from resnet_demo.errors import ResNetDemoError
from resnet_demo.evaluation.measurement import Measurement
from resnet_demo.evaluation.request import EvaluateRequest
from resnet_demo.files import read_text
from resnet_demo.results.evaluation import values
from resnet_demo.results.evaluation_page import MATRIX_UP_TO, gallery, page
from resnet_demo.results.markdown import to_html
from resnet_demo.zoo.catalogue import find

Measurements = Sequence[Measurement]
WIDEST_MATRIX = 200
"""Classes up to which the CSV has the whole matrix; beyond, the numbers by class."""

STYLE = """
body { max-width: 62em; margin: 2em auto; padding: 0 1em; font: 16px/1.5 system-ui, sans-serif; color: #222; background: #fbfaf7; }
table { border-collapse: collapse; margin: 1em 0; font-variant-numeric: tabular-nums; }
td, th { border-bottom: 1px solid #ddd; padding: 3px 9px; text-align: left; vertical-align: top; }
pre { white-space: pre-wrap; background: #f1efe9; padding: 8px; } img.figure { max-width: 100%; }
ul.pictures { list-style: none; padding: 0; display: grid; grid-template-columns: repeat(auto-fill, minmax(110px, 1fr)); gap: 12px; }
ul.pictures img { width: 96px; height: 96px; object-fit: contain; image-rendering: pixelated; display: block; }
"""


def to_json(request: EvaluateRequest, measurements: Measurements) -> bytes:
    """All numbers of each model (`results.evaluation.values`), and every answer; a list of them for two models."""
    entries = [
        values(model, request.data, one) | {"answers": _answers(one)}
        for model, one in zip(request.models, measurements, strict=True)
    ]
    return json.dumps(entries if len(entries) > 1 else entries[0]).encode()


def to_csv(request: EvaluateRequest, measurements: Measurements) -> bytes:
    """A row for each number: model, table (scores, class, confusion, reliability, paper), row, column, value."""
    rows = (
        (model, *line)
        for model, one in zip(request.models, measurements, strict=True)
        for line in _lines(values(model, request.data, one))
    )
    return csv_file.to_csv(("model", "table", "row", "column", "value"), rows)


def _lines(content: dict[str, Any]) -> Iterator[tuple[str, object, object, object]]:
    for name in ("data_name", "conditions", "images", "accuracy", "precision", "recall", "f1", "top5", "ece"):
        yield "scores", name, "", content[name]
    yield "scores", "interval", "low", content["interval"][0]
    yield "scores", "interval", "high", content["interval"][1]
    for row in content["per_class"]:
        yield from (("class", row["label"], name, row[name]) for name in ("images", "precision", "recall", "f1"))
    if len(content["classes"]) <= WIDEST_MATRIX:
        for label, counts in zip(content["classes"], content["confusion"], strict=True):
            yield from (("confusion", label, answer, n) for answer, n in zip(content["classes"], counts, strict=True))
    for part in content["calibration"]:
        where = f"{part['low']:.3f} to {part['high']:.3f}"
        yield from (("reliability", where, name, part[name]) for name in ("images", "confidence", "accuracy"))
    for row in content["paper"]:
        yield "paper", row["source"], f"{row['metric']}; {row['conditions']}", row["value"]


def _answers(measurement: Measurement) -> list[dict[str, Any]]:
    """The answer to every picture, in their order."""
    columns = (measurement.labels, measurement.predicted, measurement.confidence)
    return [
        {"label": label, "predicted": predicted, "confidence": round(confidence, 6)}
        for label, predicted, confidence in zip(*(column.tolist() for column in columns), strict=True)
    ]


def to_markdown(request: EvaluateRequest, measurements: Measurements) -> str:
    """The report: numbers, what the paper printed, matrix, calibration, mistakes and the model's card."""
    content = page(request, measurements)
    titles = [model["title"] for model in content["models"]]
    numbers = _table(["", *titles], [[row["name"], *row["values"]] for row in content["numbers"]])
    parts = [f"# {' and '.join(titles)}", content["sentence"], content["conditions"], numbers]
    if content["pair"]:
        parts += [
            "## On the same pictures",
            _table(["right", "pictures"], content["pair"]["cells"]),
            content["pair"]["sentence"],
        ]
    for index, (name, model) in enumerate(zip(request.models, content["models"], strict=True)):
        parts += [f"## {model['title']}", *_model_parts(model), *_mistakes(request, index, measurements), *_card(name)]
    return "\n\n".join(part for part in parts if part) + "\n"


def _model_parts(model: dict[str, Any]) -> list[str]:
    paper = [[row["source"], row["value"], f"{row['metric']}; {row['conditions']}"] for row in model["paper"]]
    by_class = [
        [row["label"], row["images"], *(f"{100 * row[name]:.1f}" for name in ("precision", "recall", "f1"))]
        for row in model["per_class"]
    ]
    bins = [
        [f"{100 * low:.0f} to {100 * high:.0f}", images, f"{100 * confidence:.1f}", f"{100 * accuracy:.1f}"]
        for low, high, images, confidence, accuracy in model["bins"]
        if images
    ]
    if model["matrix"]:
        names = [column["label"] for column in model["matrix"]["columns"]]
        rows = [
            [f"**{row['label']}**", *counts]
            for row, counts in zip(model["matrix"]["rows"], model["matrix"]["counts"], strict=True)
        ]
        confusion = _table(["right class", *names], rows)
    else:
        rows = [[entry["label"], entry["answer"], entry["count"]] for entry in model["confusions"]]
        confusion = _table(["right class", "answer", "pictures"], rows)
    return [
        "### The paper's figure beside it", _table(["where", "error", "of what, and how"], paper), model["paper_note"],
        "### By class, %", model["part"], _table(["class", "pictures", "precision", "recall", "F1"], by_class),
        "### Confusion", confusion,
        "### Reliability, %", _table(["confidence", "pictures", "mean confidence", "right"], bins), model["calibration"],
    ]  # fmt: skip


def _mistakes(request: EvaluateRequest, index: int, measurements: Measurements) -> list[str]:
    """The most confident mistakes, with the pictures in data: URLs."""
    worst = request.model_copy(update={"show": "mistakes", "of": index})
    try:
        content = gallery(worst, measurements)
    except ResNetDemoError as error:
        return ["### Mistakes", str(error)]
    rows = [[f"![]({entry['src']})", entry["number"], entry["label"], entry["answers"][0]] for entry in content["pictures"]]
    return [f"### {content['title']}", content["part"], _table(["", "number", "right class", "answer"], rows)]


def _card(name: str) -> list[str]:
    """The model card, its headings below the report's; nothing for a model without one on this machine."""
    folder = find(name)
    try:
        text = read_text(folder / "README.md") if folder else ""
    except (OSError, UnicodeDecodeError):
        text = ""
    if text.startswith("---\n"):
        text = text.split("---\n", 2)[-1]
    lines = [f"##{line}" if line.startswith("#") else line for line in text.strip().splitlines()]
    return ["### Its card", "\n".join(lines)] if lines else []


def to_page(request: EvaluateRequest, measurements: Measurements, figure: Callable[[Measurement, str], bytes]) -> str:
    """The report as one HTML file, which needs no other file.

    Args:
        request: the evaluation.
        measurements: of its models.
        figure: draws the matrix and the reliability diagram of a measurement with that title, as PNG.
    """
    content = page(request, measurements)
    title = html.escape(" and ".join(model["title"] for model in content["models"]))
    figures = "".join(
        f'<img class="figure" alt="{html.escape(model["title"])}: confusion matrix and reliability diagram" '
        f'src="data:image/png;base64,{base64.b64encode(figure(one, model["title"])).decode()}">'
        for model, one in zip(content["models"], measurements, strict=True)
        if len(one.present) <= MATRIX_UP_TO
    )
    body = to_html(to_markdown(request, measurements))
    head, mark, rest = body.partition("<h2>")
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{STYLE}</style><body>{head}{figures}{mark}{rest}</body></html>\n"
    )


def file_name(request: EvaluateRequest, form: str) -> str:
    """The name under which a browser saves an export: of ASCII letters only, since it travels in a header."""
    names = (*request.models, Path(request.data).name)
    words = "-".join(
        "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "-" for letter in name)
        for name in names
    )
    return f"evaluation-{words[:80]}.{form}"


def _table(head: Sequence[object], rows: Sequence[Sequence[object]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
