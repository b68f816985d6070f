"""What the page is told: sentences, classes and maps of one network or two."""

from __future__ import annotations

import base64
import copy
import io
from pathlib import Path

import numpy
import pytest
from PIL import Image

from resnet_demo import files
from resnet_demo.config import ModelConfig
from resnet_demo.data.dataset import CIFAR10_CLASSES
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.errors import SettingError
from resnet_demo.inference import drawings
from resnet_demo.inference.report import draft, report
from resnet_demo.inference.request import ClassifyRequest
from resnet_demo.inference.services import Models
from resnet_demo.model.resnet import build
from resnet_demo.zoo import folder

PICTURE = Image.effect_noise((60, 40), 90).convert("RGB")


@pytest.fixture(scope="module", autouse=True)
def two_models(isolated_home: Path) -> None:
    for name in ("resnet8", "plain8"):
        config = ModelConfig.named(name, width=4)
        content = folder.ModelFolder(
            architecture=config, classes=CIFAR10_CLASSES, preprocessing=Preprocessing(), test_accuracy=0.5
        )
        folder.write(files.home() / "models" / f"report-{name}", content, build(config, seed=1).state_dict(), "")


def ask(**asked: object) -> dict[str, object]:
    return report(PICTURE, ClassifyRequest(**({"model": "report-resnet8"} | asked)), Models())  # type: ignore[arg-type]


def picture_of(url: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(url.split(",")[1])))


def test_one_network_is_told_with_its_classes_its_accuracy_and_a_map_of_every_stage() -> None:
    told = ask()
    (answer,) = told["answers"]  # type: ignore[misc]
    assert answer["about"] == "10 classes, 50.0 % right on its test images"
    assert [stage["size"] for stage in answer["stages"]] == [[32, 32], [16, 16], [8, 8]]
    assert answer["target"] == answer["predictions"][0]["index"]
    assert picture_of(answer["seen"]).size == (32, 32)
    assert picture_of(answer["picture"]).size == (40, 40)  # the centred square, in the picture's own sharpness
    assert told["sentence"].startswith(
        f"report-resnet8 (ResNet-8, unknown data) takes this for: {answer['predictions'][0]['label']}"
    )  # type: ignore[attr-defined]


def test_the_draft_of_an_answer_has_the_last_map_and_the_whole_answer_the_same_one_and_those_before_it() -> None:
    request = ClassifyRequest(model="report-resnet8", second="report-plain8", target=3)
    models = Models()
    first = draft(PICTURE, request, models)
    assert first.finish is not None
    before = copy.deepcopy(first.report)
    whole = first.finish(say=lambda _: None, should_cancel=lambda: False)
    assert first.report == before  # the page compares one with the other
    assert whole == report(PICTURE, request, models)
    for early, late in zip(first.report["answers"], whole["answers"], strict=True):
        assert [stage.get("pending") for stage in early["stages"]] == [True, True, None]
        assert early["stages"][-1] == late["stages"][-1] and early["stage"] == "layer3"
        for pending, stage in zip(early["stages"][:-1], late["stages"][:-1], strict=True):
            assert stage == {"name": pending["name"], "title": pending["title"], "size": pending["size"], "heat": stage["heat"]}
        assert early | {"stages": late["stages"]} == late
    assert first.report | {"answers": whole["answers"]} == whole


def test_a_slow_method_has_no_draft() -> None:
    assert draft(PICTURE, ClassifyRequest(model="report-resnet8", method="occlusion"), Models()).finish is None


@pytest.mark.parametrize(("size", "shown"), [((60, 40), 40), ((451, 300), 300), ((30, 400), 30), ((900, 700), 448)])
def test_the_picture_is_shown_as_it_was_given_up_to_a_size(size: tuple[int, int], shown: int) -> None:
    picture = Image.effect_noise(size, 90).convert("RGB")
    square = drawings.square(picture, Preprocessing())
    assert square.size == (shown, shown)
    if shown < 448:
        left, top = (round((side - shown) / 2) for side in size)
        closest = min(
            numpy.abs(numpy.asarray(picture.crop((x, y, x + shown, y + shown)), int) - numpy.asarray(square)).max()
            for x in (left - 1, left, left + 1) for y in (top - 1, top, top + 1)
        )  # fmt: skip
        assert closest == 0


def test_two_networks_are_told_with_a_sentence_that_says_whether_they_agree() -> None:
    told = ask(second="report-plain8")
    first, second = told["answers"]  # type: ignore[misc]
    assert (first["kind"], second["kind"]) == ("residual", "plain")
    agree = first["predictions"][0]["label"] == second["predictions"][0]["label"]
    assert told["sentence"].startswith("Both say" if agree else "They disagree")  # type: ignore[attr-defined]


def test_a_class_is_not_contrasted_with_itself_and_what_was_asked_is_told_in_full() -> None:
    told = ask(target=3, contrast=3)
    (answer,) = told["answers"]  # type: ignore[misc]
    assert (answer["contrast_label"], answer["map_words"]) == ("", ask(target=3)["answers"][0]["map_words"])  # type: ignore[index]
    assert told["asked"] == {
        "model": "report-resnet8", "second": "", "target": 3, "target_of": 0, "contrast": 3, "method": "grad-cam", "signed": False,
    }  # fmt: skip


def test_a_slow_method_says_how_far_it_is_and_adds_its_map() -> None:
    said: list[str] = []
    told = report(PICTURE, ClassifyRequest(model="report-resnet8", method="occlusion"), Models(), say=said.append)
    assert "Occlusion of report-resnet8 (ResNet-8, unknown data): 100%." in said
    assert told["answers"][0]["stages"][-1]["title"] == "Occlusion"
    assert told["answers"][0]["stage"] == told["answers"][0]["stages"][-1]["name"]


@pytest.mark.parametrize(
    ("asked", "name"), [({"target": 10}, "target"), ({"contrast": 10}, "contrast"), ({"stage": "x"}, "stage")]
)
def test_what_the_network_does_not_have_is_refused_by_name(asked: dict[str, object], name: str) -> None:
    with pytest.raises(SettingError, match=f"^{name}: "):
        ask(**asked)
