"""What the page and the exports say of a measurement of six pictures."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import numpy
import pytest

from resnet_demo.config import ModelConfig
from resnet_demo.errors import SettingError
from resnet_demo.evaluation.measurement import About, Measurement
from resnet_demo.evaluation.request import EvaluateRequest
from resnet_demo.parsing import parse_link
from resnet_demo.results import evaluation_page
from resnet_demo.results.evaluation_export import file_name, to_csv, to_json, to_markdown, to_page
from resnet_demo.results.evaluation_page import gallery, page
from resnet_demo.results.plots import evaluation, to_png

CLASSES = ("blue", "green", "red", "grey")
LABELS = [0, 0, 1, 1, 2, 2]


def measured(predicted: list[int], confidence: list[float], *, residual: bool = True) -> Measurement:
    name = "resnet8" if residual else "plain8"
    about = About(
        data="colours", split="every fifth picture", view="one view", device="cpu, fp32", classes=CLASSES,
        architecture=ModelConfig.named(name, classes=4),
    )  # fmt: skip
    shares = numpy.array(confidence, numpy.float32)
    labels, answers = (numpy.array(values, numpy.int32) for values in (LABELS, predicted))
    return Measurement(about, labels, answers, shares, shares, numpy.ones(6, bool))


FIRST = measured([0, 1, 1, 1, 2, 3], [0.9, 0.7, 0.8, 0.6, 0.9, 0.95])
SECOND = measured([0, 0, 1, 0, 1, 1], [0.5, 0.6, 0.7, 0.8, 0.9, 0.99], residual=False)


@pytest.fixture
def request_of_two(picture_folder: Path) -> EvaluateRequest:
    return EvaluateRequest(model="one", second="two", data=str(picture_folder))


def test_the_matrix_has_the_classes_with_pictures_and_a_column_for_all_others() -> None:
    (model,) = page(EvaluateRequest(model="one"), [FIRST])["models"]
    matrix = model["matrix"]
    assert [row["label"] for row in matrix["rows"]] == ["blue", "green", "red"]
    assert [column["index"] for column in matrix["columns"]] == [0, 1, 2, -1]
    assert matrix["counts"] == [[1, 1, 0, 0], [0, 2, 0, 0], [0, 0, 1, 1]]
    assert [row["recall"] for row in model["per_class"]] == [0.5, 1, 0.5]
    assert model["confusions"][0] == {"row": 0, "column": 1, "count": 1, "label": "blue", "answer": "green"}


def test_two_models_are_counted_on_the_same_pictures(request_of_two: EvaluateRequest) -> None:
    content = page(request_of_two, [FIRST, SECOND])
    assert content["pair"]["cells"] == [["both", 2], ["first", 2], ["second", 1], ["neither", 1]]
    assert "p\N{NO-BREAK SPACE}=\N{NO-BREAK SPACE}1" in content["pair"]["sentence"]
    assert content["numbers"][0]["values"] == ["66.67\N{NO-BREAK SPACE}%", "50.00\N{NO-BREAK SPACE}%"]


@pytest.mark.parametrize(
    ("changes", "numbers", "words"),
    [
        ({}, [5, 1], "The most confident mistakes of one: 2 pictures"),
        ({"of": 1}, [5, 4, 3], "The most confident mistakes of two: 3 pictures"),
        ({"show": "cell", "row": 1, "column": 1}, [2, 3], "one: green rightly called green: 2 pictures"),
        ({"show": "cell", "row": 2, "column": -1}, [5], "one: red taken for other classes: 1 picture"),
        ({"show": "cell", "of": 1, "row": 2, "column": 1}, [5, 4], "two: red taken for green: 2 pictures"),
        ({"show": "first"}, [4, 3], "Only one is right: 2 pictures"),
        ({"show": "second"}, [1], "Only two is right: 1 picture"),
        ({"show": "neither"}, [5], "Neither is right: 1 picture"),
        ({"show": "cell", "row": 0, "column": 2}, [], "one: blue taken for red: no picture"),
    ],
)
def test_a_number_leads_to_its_pictures(
    request_of_two: EvaluateRequest, changes: dict[str, object], numbers: list[int], words: str
) -> None:
    request = request_of_two.model_copy(update=changes)
    content = gallery(request, [FIRST, SECOND])
    assert content["title"] == words
    assert [picture["number"] for picture in content["pictures"]] == numbers
    for picture in content["pictures"]:
        assert picture["src"].startswith("data:image/png;base64,")
        assert f"picture={request.data}:{picture['number']}" in picture["href"] and "tab=classify" in picture["href"]
        assert f"model={'two' if request.of else 'one'}" in picture["href"]


def test_many_pictures_are_counted_and_not_all_sent(picture_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluation_page, "MISTAKES", 1)
    content = gallery(EvaluateRequest(model="one", data=str(picture_folder)), [FIRST])
    assert (len(content["pictures"]), content["part"]) == (1, "The 1 most confident of 2 are shown.")


def test_the_exports_hold_the_numbers_of_the_page(request_of_two: EvaluateRequest) -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(request_of_two, [FIRST, SECOND]).decode())))
    cells = {(row["model"], row["table"], row["row"], row["column"]): row["value"] for row in rows}
    assert float(cells["one", "scores", "accuracy", ""]) == pytest.approx(4 / 6)
    assert cells["two", "confusion", "red", "green"] == "2"
    first, second = json.loads(to_json(request_of_two, [FIRST, SECOND]))
    assert first["accuracy"] == pytest.approx(4 / 6) and second["answers"][5] == {
        "label": 2,
        "predicted": 1,
        "confidence": 0.99,
    }


def test_a_report_is_one_file_with_pictures_matrix_calibration_and_the_paper_s_figure(request_of_two: EvaluateRequest) -> None:
    text = to_markdown(request_of_two, [FIRST, SECOND])
    for words in (
        "66.67",
        "McNemar's exact test",
        "### Confusion",
        "### Reliability",
        "The most confident mistakes",
        "measured here",
    ):
        assert words in text
    assert text.count("![](data:image/png;base64,") == 5
    report = to_page(request_of_two, [FIRST, SECOND], lambda one, title: to_png(evaluation(one, title)))
    assert report.count('src="data:image/png;base64,') == 5 + 2
    assert "http" not in report and "<h2>" in report and "<td>66.67" in report


@pytest.mark.parametrize("question", [{"show": "second"}, {"show": "neither"}, {"of": "1"}])
def test_a_network_beside_itself_is_no_pair(question: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="no second network"):
        parse_link(EvaluateRequest, {"model": "one", "second": "one", **question})
    assert parse_link(EvaluateRequest, {"model": "one", "second": "one"}).models == ("one",)


def test_the_name_of_an_export_can_stand_in_a_header() -> None:
    name = file_name(EvaluateRequest(model="mine", data="/data/\N{GREEK SMALL LETTER OMEGA}-\u732b"), "csv")
    assert name == "evaluation-mine----.csv"
