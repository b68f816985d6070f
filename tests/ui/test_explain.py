"""Every way to ask where a network looked, in a real browser."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy
import pytest
from PIL import Image
from playwright.sync_api import Page

from resnet_demo.config import ModelConfig
from resnet_demo.data.preprocessing import Preprocessing
from resnet_demo.inference.examples import FINGERPRINT
from resnet_demo.inference.request import ClassifyRequest
from resnet_demo.model.resnet import build
from resnet_demo.ui.answer_callbacks import NOTHING, UNCHANGED
from resnet_demo.ui.classify_callbacks import ClassifyCallbacks
from resnet_demo.zoo import folder
from tests.ui.classify_page import (
    FIRST_LABEL,
    HEAT,
    PRESSED,
    SENTENCE,
    choose,
    wait_for_answer,
)
from tests.ui.conftest import App, Watched

pytestmark = pytest.mark.browser


def heat(page: Page) -> str:
    return page.locator(HEAT).first.get_attribute("src") or ""


def wait_for_another_map(page: Page, before: str) -> None:
    page.wait_for_function("([s, b]) => ![undefined, b].includes(document.querySelector(s)?.src)", arg=[HEAT, before])


def colours(source: str) -> numpy.ndarray:
    """The opaque pixels of a data: URL's picture, (n, 3)."""
    import base64

    picture = numpy.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2]))).convert("RGBA"))
    return picture[picture[..., 3] > 60][:, :3].astype(int)


def test_two_classes_are_contrasted_and_the_page_says_so(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    before, labels = heat(seen.page), seen.page.locator(FIRST_LABEL).all_inner_texts()
    choose(seen, "contrast", labels[1])
    wait_for_another_map(seen.page, before)
    words = seen.page.locator("#answer .words").inner_text()
    assert f"what speaks for {labels[0]} rather than {labels[1]}" in words
    choose(seen, "contrast", "none")
    seen.page.wait_for_function("([s, b]) => document.querySelector(s).src === b", arg=[HEAT, before])


def test_a_signed_map_shows_what_speaks_against_the_class_in_blue(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    before = heat(seen.page)
    seen.page.locator("#signed input").check()
    wait_for_another_map(seen.page, before)
    assert seen.page.locator("#answer .scale").inner_text().split() == ["against", "for", "the", "class"]
    assert "signed=true" in seen.page.url
    seen.page.locator("#answer .strip button").first.click()  # an early stage has both, whatever the picture
    pixels = colours(heat(seen.page))
    red, blue = pixels[:, 0], pixels[:, 2]
    assert (red - blue > 60).sum() > 20 and (blue - red > 60).sum() > 20


def test_opacity_changes_the_map_and_asks_nobody(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    asked: list[str] = []
    seen.page.on("request", lambda request: asked.append(request.url))
    slider = seen.page.locator("#answer .opacity")
    opacity = "s => getComputedStyle(document.querySelector(s)).opacity"
    assert seen.page.evaluate(opacity, HEAT) == "0.75"
    slider.focus()
    seen.page.keyboard.press("Home")
    assert seen.page.evaluate(opacity, HEAT) == "0"
    seen.page.keyboard.press("End")
    assert seen.page.evaluate(opacity, HEAT) == "1"
    assert [url for url in asked if not url.startswith("data:")] == []


def test_the_picture_is_saved_with_its_map(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(f"{app.url}?second=plain20-cifar10")
    seen.page.wait_for_function("document.querySelectorAll('#answer .card').length === 2")
    saved = []
    for opacity in ("Home", "End"):
        seen.page.locator("#answer .opacity").focus()
        seen.page.keyboard.press(opacity)
        with seen.page.expect_download() as download:
            seen.page.click("#answer .save")
        assert download.value.suggested_filename == "resnet-lab.png"
        saved.append(Image.open(download.value.path()))
    assert saved[1].format == "PNG" and saved[1].size == (960, 540)  # two squares of 480, and two lines below
    without, with_map = (numpy.asarray(picture.convert("RGB")).astype(int) for picture in saved)
    difference = numpy.abs(with_map - without).max(2) > 40
    assert difference[:480, :480].sum() > 5000 and difference[:480, 480:].sum() > 5000  # both have their map
    assert (without[480:] < 100).all(2).sum() > 200  # and words below


def test_the_numbers_are_copied(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(app.url, permissions=["clipboard-read", "clipboard-write"])
    wait_for_answer(seen)
    seen.page.click("#answer .copy")
    seen.page.wait_for_function("document.querySelector('#answer .copy').textContent === 'Copied'")
    lines = seen.page.evaluate("navigator.clipboard.readText()").splitlines()
    labels = seen.page.locator(FIRST_LABEL).all_inner_texts()
    assert lines[0] == "ResNet-20 (CIFAR-10)"
    assert [line.split("\t")[0] for line in lines[1:]] == labels
    assert 50 < sum(float(line.split("\t")[1].removesuffix(" %")) for line in lines[1:]) <= 100.05


def test_the_numbers_are_copied_where_the_browser_lends_no_clipboard(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(app.url, permissions=["clipboard-read", "clipboard-write"])
    wait_for_answer(seen)
    seen.page.evaluate("window.lent = navigator.clipboard; Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    seen.page.click("#answer .copy")
    seen.page.wait_for_function("document.querySelector('#answer .copy').textContent === 'Copied'")
    assert seen.page.evaluate("window.lent.readText()").startswith("ResNet-20 (CIFAR-10)\n")


def test_another_method_is_computed_for_the_class_that_was_clicked(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    seen.page.locator("#answer ol button").nth(1).click()
    seen.page.wait_for_function(PRESSED.format(1))
    choose(seen, "method", "Integrated gradients")
    seen.page.wait_for_function("document.querySelectorAll('#answer .strip button').length === 4")
    shown = seen.page.locator("#answer .strip button[aria-pressed=true]")
    assert shown.inner_text().startswith("Integrated gradients")
    assert seen.page.locator("#answer ol button").nth(1).get_attribute("aria-pressed") == "true"


LARGE_ANSWERS = "/^large .* takes this for/.test(document.querySelector('#answer .sentence').textContent)"


@pytest.fixture(scope="module")
def large(app: App) -> str:
    """A ResNet-50 for pictures of 224, with random weights: as slow as a trained one."""
    config = ModelConfig.named("resnet50")
    content = folder.ModelFolder(
        architecture=config, classes=tuple(f"class {number}" for number in range(1000)),
        preprocessing=Preprocessing(image_size=224, resize=256),
    )  # fmt: skip
    folder.write(app.home / "models" / "large", content, build(config, seed=0).state_dict(), "")
    return "large"


@pytest.mark.parametrize("method", ["guided-grad-cam", "integrated-gradients", "occlusion"])
def test_every_slow_method_says_how_far_it_is_and_can_be_cancelled(
    app: App, visit: Callable[..., Watched], large: str, method: str
) -> None:
    seen = visit(f"{app.url}?model={large}")
    wait_for_answer(seen)
    before = heat(seen.page)
    said = "window.said = []; new MutationObserver(() => said.push(document.querySelector('#answer .sentence').textContent))"
    seen.page.evaluate(f"{said}.observe(document.querySelector('#answer .sentence'), {{childList: true}})")
    choose(seen, "method", method.replace("-", " ").replace("grad cam", "Grad-CAM").capitalize().replace("cam", "CAM"))
    seen.page.wait_for_function(r"said.some((words) => /large \(.*\): \d+%/.test(words))")
    if method == "guided-grad-cam":  # one pass: over before anyone could cancel it
        seen.page.wait_for_function("document.querySelectorAll('#answer .strip button').length === 5")
        return
    seen.page.click("#answer .cancel")
    seen.page.wait_for_function("document.querySelector('#answer .sentence').textContent.startsWith('Cancelled.')")
    assert seen.page.locator(SENTENCE).inner_text() == "Cancelled. Still shown: large (ResNet-50, unknown data)."
    assert heat(seen.page) == before and seen.page.locator("#answer .cancel").is_hidden()
    choose(seen, "method", "Grad-CAM")  # the page goes on
    seen.page.wait_for_function(LARGE_ANSWERS)


def test_who_asks_something_else_need_not_wait_for_what_takes_long(app: App, visit: Callable[..., Watched], large: str) -> None:
    seen = visit(f"{app.url}?model={large}")
    wait_for_answer(seen)
    drawn = "document.querySelectorAll('#answer .strip button').length"
    seen.page.evaluate(
        f"window.most = 0; new MutationObserver(() => {{ most = Math.max(most, {drawn}); }})"
        ".observe(document.querySelector('#answer'), {childList: true, subtree: true})"
    )
    choose(seen, "method", "Occlusion")
    seen.page.wait_for_function(
        r"/large \(.*\): \d+%/.test(document.querySelector('#answer .sentence').textContent)", polling=50
    )
    choose(seen, "method", "Grad-CAM")
    seen.page.wait_for_function(LARGE_ANSWERS)
    assert seen.page.evaluate("window.most") == 4  # the occlusion was given up: its map, the fifth, was never shown


def test_by_keyboard_alone_one_comes_from_the_first_key_to_an_explained_class(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    reached: list[str] = []
    for _ in range(60):
        seen.page.keyboard.press("Tab")
        reached.append(seen.page.evaluate("document.activeElement.closest('[id]')?.id ?? ''"))
        width = seen.page.evaluate("parseFloat(getComputedStyle(document.activeElement).outlineWidth)")
        assert width >= 2, f"the focus cannot be seen on {reached[-1]}"
        if seen.page.evaluate("document.activeElement.matches('#answer ol li:nth-child(2) button')"):
            break
    else:
        pytest.fail(f"the second class is not reached by Tab: {reached}")
    assert {"picture", "examples", "model", "second"} <= set(reached)
    before = heat(seen.page)
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_function(PRESSED.format(1))
    assert heat(seen.page) != before
    assert seen.page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"  # the focus stays there


@pytest.mark.parametrize("kind", ["ol", ".strip"])
def test_the_focus_stays_at_the_second_network_when_a_class_or_a_stage_of_it_is_chosen(
    app: App, visit: Callable[..., Watched], kind: str
) -> None:
    seen = visit(f"{app.url}?second=plain20-cifar10")
    seen.page.wait_for_function("document.querySelectorAll('#answer .card').length === 2")
    chosen = seen.page.locator(f"#answer .card:nth-child(2) {kind} button[aria-pressed=false]").first
    words = chosen.inner_text()
    chosen.focus()
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_function(
        "([kind, words]) => document.querySelector(`#answer .card:nth-child(2) ${kind} [aria-pressed=true]`)?.innerText === words",
        arg=[kind, words],
    )
    focused = seen.page.locator("#answer .card:nth-child(2) button:focus")
    assert focused.inner_text() == words
    assert focused.get_attribute("aria-pressed") == "true"
    seen.page.evaluate("document.querySelector('#signed input').click()")  # another answer, while the focus is there
    seen.page.wait_for_function("document.querySelector('#answer .low').textContent === 'against'")
    assert focused.inner_text() == words


def slow_answers(ended: list[str]) -> ClassifyCallbacks:
    """The tab's callbacks before networks that never come to an end; `ended` is told which were given up."""

    def answer(_: Image.Image, question: ClassifyRequest) -> Iterator[str | dict[str, Any]]:
        try:
            while True:
                yield f"{question.method}: 0%"
        finally:
            ended.append(question.method)

    return ClassifyCallbacks(answer, lambda _: None)


def ask(callbacks: ClassifyCallbacks, page: str, method: str) -> Iterator[tuple[Any, ...]]:
    request = SimpleNamespace(session_hash=page)
    return callbacks.ask(Image.new("RGB", (8, 8)), "a", "none", method, False, NOTHING, request)  # type: ignore[arg-type]


def test_the_next_question_of_a_page_ends_the_one_before() -> None:
    ended: list[str] = []
    callbacks = slow_answers(ended)
    first, others = ask(callbacks, "page", "occlusion"), ask(callbacks, "another page", "occlusion")
    second = ask(callbacks, "page", "integrated-gradients")
    assert next(first)[0]["message"] == "occlusion: 0%"
    assert next(others)[0]["message"] == "occlusion: 0%"
    assert next(second)[0]["message"] == "integrated-gradients: 0%"
    assert list(first) == [UNCHANGED]  # no word of its own; without any, the page would be emptied
    assert ended == ["occlusion"]
    assert next(second)[0]["message"] == "integrated-gradients: 0%"
    assert next(others)[0]["message"] == "occlusion: 0%"


@pytest.mark.parametrize("sent", [None, {}, {"target": "cat"}, {"target": 3, "answer": [0]}, ["target"]])
def test_a_click_that_names_no_class_gets_a_sentence(sent: object) -> None:
    callbacks = ClassifyCallbacks(lambda *_: iter(()), lambda _: None)
    picture, request = Image.new("RGB", (8, 8)), SimpleNamespace(session_hash="page")
    click = gr.EventData(None, sent)
    about = NOTHING | {"of": ["a", "", None]}
    steps = callbacks.ask_about(picture, "a", "none", "grad-cam", False, about, click, request)  # type: ignore[arg-type]
    (update,) = steps
    assert update[0]["state"] == "error" and "target" in update[0]["message"]


def test_the_picture_that_a_link_sets_is_asked_about_by_the_link_alone() -> None:
    callbacks = slow_answers([])
    picture, request = Image.new("RGB", (8, 8)), SimpleNamespace(session_hash="page")
    picture.info[FINGERPRINT] = "frog"
    for of, is_new in ((["a", "b", "frog"], False), (["a", "b", "cat"], True), (None, True)):
        steps = callbacks.ask_about_picture(picture, "a", "none", "occlusion", False, NOTHING | {"of": of}, request)  # type: ignore[arg-type]
        assert (next(steps) != UNCHANGED) == is_new
        steps.close()  # type: ignore[attr-defined]


def test_the_answer_with_more_maps_leaves_all_around_it_as_the_first_one_set_it() -> None:
    """Gradio's page applies the difference of two updates to the first one in place, which under load it has not read yet."""
    network = {"target": 3, "contrast_label": "", "predictions": [{"index": 3, "label": "cat"}, {"index": 5, "label": "dog"}]}
    reports = [{"answers": [network | {"stages": stages}], "asked": {}} for stages in ("pending", "whole")]
    first, second = ask(ClassifyCallbacks(lambda *_: iter(reports), lambda _: None), "page", "grad-cam")
    assert [update[0]["answers"][0]["stages"] for update in (first, second)] == ["pending", "whole"]
    assert first[0]["ticket"] == second[0]["ticket"]
    assert second[1].get_config() == first[1].get_config() and first[1].choices[1:] == [("dog", 5)]
    assert second[2:] == first[2:]


def test_the_question_that_a_page_waits_for_is_not_asked_again() -> None:
    ended: list[str] = []
    callbacks = slow_answers(ended)
    first = ask(callbacks, "page", "occlusion")
    next(first)
    assert list(ask(callbacks, "page", "occlusion")) == [UNCHANGED]
    assert next(first)[0]["message"] == "occlusion: 0%" and ended == []


def contrasted_answers(callbacks: ClassifyCallbacks, model: str, about: dict[str, Any]) -> list[tuple[Any, ...]]:
    picture, request = Image.new("RGB", (8, 8)), SimpleNamespace(session_hash="page")
    return list(callbacks.ask(picture, model, "none", "grad-cam", False, about, request))  # type: ignore[arg-type]


def test_a_contrast_lasts_from_its_choice_on_until_the_network_changes_and_a_cancelled_one_is_taken_back() -> None:
    """Whatever the page's list shows: the request that a list sends when it loses the focus may carry an old choice."""
    requests: list[ClassifyRequest] = []

    def answer(_: Image.Image, request: ClassifyRequest) -> Iterator[str | dict[str, Any]]:
        requests.append(request)
        yield "Looking at the picture."
        yield "Still looking."
        label = "dog" if request.contrast == 5 else ""
        predictions = [{"index": 3, "label": "cat"}, {"index": 5, "label": "dog"}]
        yield {"answers": [{"target": 3, "contrast_label": label, "predictions": predictions}], "asked": {}}

    callbacks = ClassifyCallbacks(answer, lambda _: None)
    picture, page = Image.new("RGB", (8, 8)), SimpleNamespace(session_hash="page")
    (*_, (_, _, shown, *_)) = contrasted_answers(callbacks, "a", NOTHING)
    asked = callbacks.ask_contrast(picture, "a", "none", "grad-cam", False, shown, 5, page)  # type: ignore[arg-type]
    (_, _, waiting, *_), (_, _, unchanged, *_), (_, dropdown, answered, *_) = asked
    assert unchanged == gr.skip()  # a sentence that is late does not undo a cancellation
    assert [about["contrast"] for about in (shown, waiting, answered)] == [-1, 5, 5] and dropdown.value == 5
    assert [request.contrast for request in requests] == [-1, 5]
    cancelled = callbacks.cancel("a", "", waiting)
    assert cancelled[1]["value"] == -1 and cancelled[2] == shown | {"answered": None}
    (*_, (_, dropdown, other, *_)) = contrasted_answers(callbacks, "b", answered)
    assert requests[-1].contrast == other["contrast"] == dropdown.value == -1
    assert contrasted_answers(callbacks, "b", other) == [UNCHANGED]  # the list of networks loses the focus


def test_the_link_restores_the_example_the_class_its_contrast_and_the_opacity(app: App, visit: Callable[..., Watched]) -> None:
    first = visit(f"{app.url}?second=plain20-cifar10")
    first.page.wait_for_function("document.querySelectorAll('#answer .card').length === 2")
    first.page.locator("#examples button").nth(3).click()
    first.page.wait_for_function("location.search.includes('picture=cifar10-frog')")
    first.page.locator("#answer .card.plain ol button").nth(2).click()
    pressed = "document.querySelectorAll('#answer .plain ol button')[2]?.getAttribute('aria-pressed') === 'true'"
    first.page.wait_for_function(pressed)
    frog = first.page.locator("#answer .seen img").first.get_attribute("src")
    against = first.page.locator("#answer .card.plain ol .label").nth(4).inner_text()
    choose(first, "contrast", against)
    first.page.wait_for_function(f"document.querySelector('#answer .plain .words').innerText.includes('rather than {against}')")
    first.page.locator("#answer .opacity").focus()
    first.page.keyboard.press("End")
    first.page.wait_for_function("location.search.includes('opacity=1')")
    other = visit(first.page.evaluate("location.href"))
    other.page.wait_for_function(pressed)
    wait_for_answer(other)
    other.page.wait_for_function("against => document.querySelector('#contrast input').value === against", arg=against)
    assert [page.page.locator("#answer .seen img").first.get_attribute("src") for page in (other, first)] == [frog, frog]
    assert other.page.evaluate("s => getComputedStyle(document.querySelector(s)).opacity", HEAT) == "1"
    for card in (0, 1):
        maps = [page.page.locator("#answer .card > .view img.heat").nth(card).get_attribute("src") for page in (first, other)]
        assert maps[0] == maps[1]
    choose(other, "model", "Plain-20")  # of another network, its own first answer is explained
    other.page.wait_for_function("document.querySelectorAll('#answer .card.plain').length === 2")
    other.page.wait_for_function("document.querySelector('#contrast input').value === 'none'")
    other.page.wait_for_function("!/target|contrast/.test(location.search)")


def test_a_link_that_asks_for_what_is_not_there_is_answered_in_a_sentence(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(f"{app.url}?target=12")
    seen.page.wait_for_function("document.querySelector('#answer .sentence')?.innerText.includes('classes 0 to 9, not 12')")
    choose(seen, "method", "Integrated gradients")  # the page goes on, with the first answer
    wait_for_answer(seen)
    assert seen.page.locator("#answer ol button").first.get_attribute("aria-pressed") == "true"
    for query, words in (("target=many", "target"), ("model=no-such-net", "no-such-net"), ("method=guess", "method")):
        seen = visit(f"{app.url}?{query}")
        seen.page.locator(".toast-body", has_text="What the link asks is left out.").wait_for()
        assert words in seen.page.locator(".toast-body").inner_text()
        wait_for_answer(seen)


def test_the_link_restores_networks_method_stage_and_sign(app: App, visit: Callable[..., Watched]) -> None:
    first = visit(app.url)
    wait_for_answer(first)
    choose(first, "model", "Plain-20")
    first.page.wait_for_function("document.querySelector('#answer h2').innerText.startsWith('Plain-20')")
    choose(first, "method", "Occlusion")
    first.page.wait_for_function("document.querySelectorAll('#answer .strip button').length === 4")
    first.page.locator("#signed input").check()
    first.page.wait_for_function("document.querySelector('#answer .low').textContent === 'against'")
    first.page.locator("#answer .strip button").nth(1).click()
    other = visit(first.page.url)
    wait_for_answer(other)
    assert other.page.locator("#answer h2").inner_text().startswith("Plain-20 (CIFAR-10)")
    assert other.page.locator("#answer .strip button[aria-pressed=true]").inner_text().startswith("Stage 2")
    assert other.page.locator("#method input").input_value() == "Occlusion"
    assert other.page.locator("#signed input").is_checked()
    assert heat(other.page) == heat(first.page)
