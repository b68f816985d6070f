"""The Classify tab in a real browser, and its endpoint."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from tests.ui.classify_page import (
    FIRST_LABEL,
    HEAT,
    PRESSED,
    clear,
    seen_by_the_network,
    upload,
    wait_for_another_picture,
    wait_for_answer,
)
from tests.ui.conftest import App, Watched

pytestmark = pytest.mark.browser


def test_the_first_screen_shows_an_example_classified_and_explained(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    assert seen.page.locator("#answer ol li").count() == 5
    assert seen.page.locator("#answer .strip button").count() == 3
    assert seen.page.locator(HEAT).count() == 1
    assert "32×32" in seen.page.locator("#answer .seen").inner_text()
    alt = seen.page.locator("#answer .card > .view img").first.get_attribute("alt")
    assert alt is not None and seen.page.locator(FIRST_LABEL).first.inner_text() in alt


def test_an_uploaded_picture_is_classified_and_a_click_on_a_class_explains_it(
    app: App, visit: Callable[..., Watched], tmp_path: Path
) -> None:
    path = tmp_path / "mine.png"
    Image.effect_noise((90, 60), 80).convert("RGB").save(path)
    seen = visit(app.url)
    wait_for_answer(seen)
    before = seen_by_the_network(seen)
    clear(seen)
    upload(seen, path)
    wait_for_another_picture(seen, before)
    second = seen.page.locator("#answer ol button").nth(1)
    label, heat = second.locator(".label").inner_text(), seen.page.locator("#answer img.heat").first.get_attribute("src")
    second.click()
    seen.page.wait_for_function(PRESSED.format(1))
    assert seen.page.locator("#answer ol button .label").nth(1).inner_text() == label
    assert seen.page.locator("#answer img.heat").first.get_attribute("src") != heat


def test_an_example_is_answered_by_a_click(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    before = seen_by_the_network(seen)
    seen.page.locator("#examples button").nth(4).click()
    wait_for_another_picture(seen, before)


def test_the_stage_is_switched_by_keyboard_without_asking_the_server(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    asked: list[str] = []
    seen.page.on("request", lambda request: asked.append(request.url) if request.method == "POST" else None)
    before = seen.page.locator(HEAT).get_attribute("src")
    seen.page.locator("#answer .strip button").first.focus()
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_function("([s, b]) => document.querySelector(s).src !== b", arg=[HEAT, before])
    assert seen.page.evaluate("document.activeElement.getAttribute('aria-pressed')") == "true"
    assert asked == []


def test_two_networks_answer_beside_each_other_and_the_link_restores_them(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(f"{app.url}?model=resnet20-cifar10&second=plain20-cifar10")
    seen.page.wait_for_function("document.querySelectorAll('#answer .card').length === 2")
    assert seen.page.locator("#answer .card.plain h2").inner_text().startswith("Plain-20 (CIFAR-10)")
    sentence = seen.page.locator("#answer .sentence").inner_text()
    labels = [seen.page.locator("#answer .card").nth(i).locator("ol .label").first.inner_text() for i in (0, 1)]
    assert sentence.startswith("Both say" if labels[0] == labels[1] else "They disagree")
    assert "second=plain20-cifar10" in seen.page.url
    seen.page.locator("#answer .card.plain ol button").nth(2).click()
    seen.page.wait_for_function(
        "document.querySelectorAll('#answer .plain ol button')[2].getAttribute('aria-pressed') === 'true'"
    )
    label = seen.page.locator("#answer .card.plain ol button .label").nth(2).inner_text()
    alts = [seen.page.locator("#answer .card").nth(i).locator("img").first.get_attribute("alt") for i in (0, 1)]
    assert all(alt is not None and f"looked for {label}" in alt for alt in alts)


def test_on_a_phone_everything_fits_the_width(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(app.url, width=390, height=844, color_scheme="dark", has_touch=True)
    wait_for_answer(seen)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_endpoint_answers_in_the_form_of_a_label(app: App, tmp_path: Path) -> None:
    path = tmp_path / "noise.jpg"
    Image.effect_noise((50, 40), 60).convert("RGB").save(path)
    client = Client(app.url, verbose=False)
    label, report = client.predict(handle_file(str(path)), api_name="/classify")
    assert label["label"] == label["confidences"][0]["label"] == report["answers"][0]["predictions"][0]["label"]
    confidences = [item["confidence"] for item in label["confidences"]]
    assert len(confidences) == 5 and confidences == sorted(confidences, reverse=True) and sum(confidences) <= 1 + 1e-6


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"model": "no-such-model"}, "no-such-model"),
        ({"target": 10}, "target"),
        ({"stage": "layer9"}, "layer9"),
        ({"top_k": 0}, "top_k"),
        ({"model": "/etc"}, "/etc"),
    ],
)
def test_the_endpoint_refuses_what_it_does_not_know_in_a_sentence_that_names_it(
    app: App, tmp_path: Path, arguments: dict[str, object], sentence: str
) -> None:
    path = tmp_path / "grey.png"
    Image.new("RGB", (32, 32), "grey").save(path)
    with pytest.raises(AppError, match=sentence):
        Client(app.url, verbose=False).predict(handle_file(str(path)), api_name="/classify", **arguments)


def test_a_file_that_is_no_picture_is_refused_in_a_sentence(app: App, tmp_path: Path) -> None:
    whole = io.BytesIO()
    Image.new("RGB", (32, 32), "grey").save(whole, "PNG")
    path = tmp_path / "cut.png"
    path.write_bytes(whole.getvalue()[:40])
    with pytest.raises(AppError, match=r"damaged|not a picture"):
        Client(app.url, verbose=False).predict(handle_file(str(path)), api_name="/classify")
