"""An evaluation as the page shows it: numbers, matrix, reliability diagram, the paper's figures, and the pictures behind a number.

All are plain values for a browser. No torch here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

import numpy
from numpy.typing import NDArray

from resnet_demo.data import numbered
from resnet_demo.evaluation.measurement import Measurement
from resnet_demo.evaluation.pairs import pair, sentence
from resnet_demo.evaluation.request import EvaluateRequest
from resnet_demo.results.evaluation import of_paper
from resnet_demo.words import SPACE, share
from resnet_demo.zoo.catalogue import title_of

MATRIX_UP_TO = 30
"""Classes with pictures up to which the matrix is drawn; beyond, the most frequent confusions are listed."""
CONFUSIONS, WORST_CLASSES = 25, 25
MISTAKES, PICTURES = 24, 60
OTHER = "other classes"
FIGURE_6_ONLY = "The paper prints no number for this network: Figure 6 shows its curve only."
NO_FIGURE = "The paper has no figure for this network and these classes."


def page(request: EvaluateRequest, measurements: Sequence[Measurement]) -> dict[str, Any]:
    """The value of the page's widget: the measurements of `request.models`, in that order."""
    titles = [title_of(model) for model in request.models]
    return {
        "state": "result",
        "request": request.model_dump(),
        "sentence": " ".join(_sentence(title, one) for title, one in zip(titles, measurements, strict=True)),
        "numbers": _numbers(measurements),
        "models": [_model(title, one) for title, one in zip(titles, measurements, strict=True)],
        "pair": _pair(titles, measurements),
        "conditions": _conditions(measurements[0]),
    }


def gallery(request: EvaluateRequest, measurements: Sequence[Measurement]) -> dict[str, Any]:
    """The pictures that the request asks for, the most confident answers first; a part of them, and how many there are.

    Raises:
        DataError: the data is no longer on this machine.
        PictureError: a picture is no longer there.
    """
    titles = [title_of(model) for model in request.models]
    of = min(request.of, len(measurements) - 1)
    title, where = _selection(request, measurements, titles)
    main = measurements[1 if request.show == "second" else of]
    order = numpy.flatnonzero(where)
    order = order[numpy.argsort(-main.confidence[order], kind="stable")]
    limit = MISTAKES if request.show == "mistakes" else PICTURES
    numbers = order[:limit].tolist()
    link = {"tab": "classify", "model": request.models[of]}
    link |= {"second": request.second} if len(measurements) > 1 and request.show in ("first", "second", "neither") else {}
    pictures = [
        {
            "number": number,
            "src": src,
            "href": "?" + urlencode(link | {"picture": f"{request.data}:{number}"}, safe=":/"),
            **_caption(
                number, titles, measurements, [of] if request.show in ("mistakes", "cell") else range(len(measurements))
            ),
        }
        for number, src in zip(numbers, numbered.thumbnails(request.data, numbers), strict=True)
    ]
    total = len(order)
    part = f"The {len(pictures)} most confident of {total:,} are shown." if total > len(pictures) else ""
    return {"state": "result", "title": f"{title}: {_count(total)}", "part": part, "pictures": pictures}


def _selection(
    request: EvaluateRequest, measurements: Sequence[Measurement], titles: Sequence[str]
) -> tuple[str, NDArray[numpy.bool_]]:
    of = min(request.of, len(measurements) - 1)
    main = measurements[of]
    if request.show == "cell":
        classes = main.about.classes
        row, column = min(request.row, len(classes) - 1), min(request.column, len(classes) - 1)
        named = main.predicted == column if column >= 0 else ~numpy.isin(main.predicted, main.present)
        answer = classes[column] if column >= 0 else OTHER
        verb = "rightly called" if row == column else "taken for"
        return f"{titles[of]}: {classes[row]} {verb} {answer}", (main.labels == row) & named
    if len(measurements) == 1 or request.show == "mistakes":
        return f"The most confident mistakes of {titles[of]}", ~main.hits
    first, second = (one.hits for one in measurements)
    return {
        "first": (f"Only {titles[0]} is right", first & ~second),
        "second": (f"Only {titles[1]} is right", ~first & second),
        "neither": ("Neither is right", ~first & ~second),
    }[request.show]


def _caption(number: int, titles: Sequence[str], measurements: Sequence[Measurement], which: Sequence[int]) -> dict[str, Any]:
    classes = measurements[0].about.classes
    label = classes[int(measurements[0].labels[number])]
    answers = [
        (
            measurements[index].about.classes[int(measurements[index].predicted[number])],
            share(float(measurements[index].confidence[number])).replace(" ", SPACE),
        )
        for index in which
    ]
    spoken = "; ".join(f"{titles[index]} says {name}, {of}" for index, (name, of) in zip(which, answers, strict=True))
    return {
        "label": label,
        "answers": [f"{name}, {of}" for name, of in answers],
        "kinds": [measurements[index].about.architecture.kind for index in which],
        "alt": f"Picture {number}, {label}. {spoken}. Open it in Classify.",
    }


def _count(total: int) -> str:
    return {0: "no picture", 1: "1 picture"}.get(total, f"{total:,} pictures")


def percent_of(fraction: float) -> str:
    """Two decimals, as the paper prints errors."""
    return f"{100 * fraction:.2f}{SPACE}%"


def interval_of(measurement: Measurement, *, of_error: bool = False) -> str:
    """The 95 % interval of the accuracy, or of the error."""
    low, high = measurement.scores.interval
    low, high = (1 - high, 1 - low) if of_error else (low, high)
    return f"{100 * low:.1f} to {100 * high:.1f}{SPACE}%"


def _sentence(title: str, measurement: Measurement) -> str:
    scores = measurement.scores
    return f"{title} is right on {percent_of(scores.accuracy)} of {scores.images:,} pictures."


def _conditions(measurement: Measurement) -> str:
    about = measurement.about
    return f"{about.data}: {about.split}; {about.view}. Computed on {about.device}."


def _numbers(measurements: Sequence[Measurement]) -> list[dict[str, Any]]:
    """The rows of the table of numbers: a name, and a value for each model."""
    scores = [one.scores for one in measurements]
    rows = {
        "Accuracy": [percent_of(one.accuracy) for one in scores],
        "95 % interval": [interval_of(one) for one in measurements],
        "Top-5 accuracy": [percent_of(one.top_5) for one in measurements if one.top_5 is not None],
        "Precision": [percent_of(one.precision) for one in scores],
        "Recall": [percent_of(one.recall) for one in scores],
        "F1": [percent_of(one.f1) for one in scores],
        "Calibration error": [percent_of(one.ece) for one in measurements],
    }
    return [{"name": name, "values": values} for name, values in rows.items() if len(values) == len(measurements)]


def _model(title: str, measurement: Measurement) -> dict[str, Any]:
    scores, classes, present = measurement.scores, measurement.about.classes, measurement.present
    by_class: list[dict[str, Any]] = [
        {"index": index, "label": classes[index], "images": of.images, "precision": of.precision, "recall": of.recall, "f1": of.f1}
        for index, of in ((index, scores.per_class[index]) for index in present)
    ]  # fmt: skip
    worst = sorted(by_class, key=lambda row: row["f1"])[:WORST_CLASSES] if len(present) > MATRIX_UP_TO else by_class
    return {
        "title": title,
        "kind": measurement.about.architecture.kind,
        "matrix": _matrix(measurement) if len(present) <= MATRIX_UP_TO else None,
        "confusions": _confusions(measurement),
        "per_class": worst,
        "part": f"The {len(worst)} classes of the lowest F1, of {len(present):,}." if len(worst) < len(by_class) else "",
        "bins": [[part.low, part.high, part.images, part.confidence, part.accuracy] for part in measurement.bins],
        "ece": percent_of(measurement.ece),
        "calibration": _calibration(measurement),
        "paper": paper_rows(measurement),
        "paper_note": _paper_note(measurement),
    }


def _matrix(measurement: Measurement) -> dict[str, Any]:
    """The rows and columns of the classes that have pictures, and a last column for all other answers, if there are any."""
    present, classes = measurement.present, measurement.about.classes
    confusion = numpy.array(measurement.scores.confusion)[present]
    counts = confusion[:, present]
    others = confusion.sum(1) - counts.sum(1)
    columns = [{"index": index, "label": classes[index]} for index in present]
    if others.any():
        counts = numpy.column_stack([counts, others])
        columns.append({"index": -1, "label": OTHER})
    return {"rows": columns[: len(present)], "columns": columns, "counts": counts.tolist()}


def _confusions(measurement: Measurement) -> list[dict[str, Any]]:
    """The most frequent confusions, most frequent first."""
    classes = measurement.about.classes
    wrong = ~measurement.hits
    places = measurement.labels[wrong].astype(numpy.int64) * len(classes) + measurement.predicted[wrong]
    values, counts = numpy.unique(places, return_counts=True)
    order = numpy.argsort(-counts, kind="stable")[:CONFUSIONS]
    return [
        {"row": row, "column": column, "count": count, "label": classes[row], "answer": classes[column]}
        for (row, column), count in zip(
            ((int(v) // len(classes), int(v) % len(classes)) for v in values[order]), counts[order].tolist(), strict=True
        )
    ]


def _calibration(measurement: Measurement) -> str:
    """One sentence: whether the confidences are too high or too low."""
    mean = float(measurement.confidence.astype(numpy.float64).mean())
    accuracy = measurement.scores.accuracy
    word = "higher than" if mean > accuracy else "lower than"
    return (
        f"On average the network says {percent_of(mean)} and is right on {percent_of(accuracy)}: its confidence is {word} its "
        f"accuracy. Expected calibration error {percent_of(measurement.ece)}."
    )


def paper_rows(measurement: Measurement) -> list[dict[str, str]]:
    """What was measured here and the paper's figures beside it, each with its conditions."""
    about, scores = measurement.about, measurement.scores
    own = {
        "source": "measured here",
        "value": percent_of(1 - scores.accuracy),
        "interval": interval_of(measurement, of_error=True),
        "metric": "test error, %" if about.architecture.design == "cifar" else "top-1 error, %",
        "conditions": f"{about.data}: {about.split}; {about.view}",
    }
    return [own, *({"source": row.source, "value": f"{row.value:g}{SPACE}%", "metric": row.metric, "conditions": row.conditions}
                   for row in of_paper(measurement))]  # fmt: skip


def _paper_note(measurement: Measurement) -> str:
    if of_paper(measurement):
        return "Only numbers of the same split, crops and training are to be held against each other."
    config = measurement.about.architecture
    return FIGURE_6_ONLY if config.design == "cifar" and not config.residual else NO_FIGURE


def _pair(titles: Sequence[str], measurements: Sequence[Measurement]) -> dict[str, Any] | None:
    if len(measurements) < 2:
        return None
    counts = pair(measurements[0].hits, measurements[1].hits)
    cells = [["both", counts.both], ["first", counts.first_only], ["second", counts.second_only], ["neither", counts.neither]]
    return {"cells": cells, "sentence": sentence(counts, *titles)}
