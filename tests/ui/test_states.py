"""The Classify tab when something is missing or wrong, in the dark, and on a phone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.ui.classify_page import (
    FIRST_LABEL,
    SENTENCE,
    choose,
    clear,
    seen_by_the_network,
    wait_for_another_picture,
    wait_for_answer,
)
from tests.ui.conftest import App, Watched

pytestmark = pytest.mark.browser

CONTRAST = """selector => {
  const numbers = (colour) => { const pen = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1); return [...pen.getImageData(0, 0, 1, 1).data]; };
  const light = (colour) => colour.slice(0, 3).map((c) => c / 255).map((c) => c <= .04045 ? c / 12.92 : ((c + .055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [.2126, .7152, .0722][i], 0);
  const node = document.querySelector(selector);
  let behind = node;
  while (behind.parentElement && numbers(getComputedStyle(behind).backgroundColor)[3] < 255) behind = behind.parentElement;
  const pair = [light(numbers(getComputedStyle(node).color)), light(numbers(getComputedStyle(behind).backgroundColor))];
  return (Math.max(...pair) + .05) / (Math.min(...pair) + .05);
}"""  # Web Content Accessibility Guidelines 2.2, "contrast ratio"
TEXTS = (
    ".page-head p", SENTENCE, "#answer h2 small", FIRST_LABEL, "#answer .words", "#answer .machine", "#answer .strip button",
    "#answer .seen", "#answer .save", "#model [data-testid=block-info]", "button[role=tab][aria-selected=true]",
)  # fmt: skip


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_in_light_and_dark(app: App, visit: Callable[..., Watched], scheme: str) -> None:
    seen = visit(app.url, color_scheme=scheme)
    wait_for_answer(seen)
    ratios = {selector: seen.page.evaluate(CONTRAST, selector) for selector in TEXTS}
    assert {selector: ratio for selector, ratio in ratios.items() if ratio < 4.5} == {}
    background = seen.page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, background.strip("rgb()").split(",")[:3])) < 200) == (scheme == "dark")


@pytest.mark.parametrize("networks", ["", "?second=plain20-cifar10"])
def test_at_1280_by_800_the_answer_and_every_question_are_on_one_screen(
    app: App, visit: Callable[..., Watched], networks: str
) -> None:
    seen = visit(app.url + networks)
    wait_for_answer(seen)
    bottoms = "[...document.querySelectorAll('#answer .tools, #method input, #second input')].map((n) => n.getBoundingClientRect().bottom)"
    assert max(seen.page.evaluate(bottoms)) <= 800


def test_on_a_phone_the_answer_fits_one_screen_and_a_finger(app: App, visit: Callable[..., Watched], tmp_path: Path) -> None:
    seen = visit(app.url, width=390, height=844, color_scheme="dark", has_touch=True, is_mobile=True)
    wait_for_answer(seen)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390
    assert seen.page.evaluate("document.querySelector('#answer .tools').getBoundingClientRect().bottom") <= 844
    small = (
        "[...document.querySelectorAll('#answer button')]"
        ".filter((b) => b.checkVisibility() && Math.min(b.offsetHeight, b.offsetWidth) < 44)"
    )
    assert seen.page.evaluate(f"{small}.map((b) => b.className + b.innerText)") == []
    before = seen_by_the_network(seen)
    with seen.page.expect_file_chooser() as chooser:
        seen.page.locator("#answer .own").tap()
    Image.effect_noise((40, 40), 60).convert("RGB").save(tmp_path / "own.png")
    chooser.value.set_files(str(tmp_path / "own.png"))
    wait_for_another_picture(seen, before)


def test_nothing_moves_when_the_answer_comes(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    top = "document.querySelector('#questions').getBoundingClientRect().top"
    answered = seen.page.evaluate(top)
    clear(seen)
    assert abs(seen.page.evaluate(top) - answered) <= 16
    assert seen.page.locator(SENTENCE).inner_text().startswith("Choose a picture")


def test_offline_the_lists_mark_what_cannot_be_had_with_its_size(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    for dropdown in ("model", "second"):
        seen.page.locator(f"#{dropdown} input").click()
        options = seen.page.get_by_role("option").all_inner_texts()
        marked = [option.strip(" ✓\n") for option in options if "not here" in option]
        assert len(marked) == 10
        assert marked[0] == "ResNet-18 (ImageNet, torchvision's weights): not here, 47 MB"
        assert not [option for option in options if "CIFAR-10" in option and "not here" in option]
        seen.page.keyboard.press("Escape")
        seen.page.wait_for_function("!document.querySelector('[role=option]')")  # the list fades out


@pytest.mark.parametrize(("dropdown", "before"), [("model", "ResNet-20 (CIFAR-10)"), ("second", "none")])
def test_offline_a_network_that_cannot_be_had_is_told_with_what_to_do_and_the_one_in_use_stays_selected(
    app: App, visit: Callable[..., Watched], dropdown: str, before: str
) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    label = seen.page.locator(FIRST_LABEL).first.inner_text()
    choose(seen, dropdown, "ResNet-18")
    seen.page.wait_for_selector("#answer .sentence.error")
    said = seen.page.locator(SENTENCE).inner_text()
    assert said.startswith("ResNet-18 (ImageNet, torchvision's weights) is not on this machine, and the app runs offline.")
    assert "prefetch --model timm/resnet18.tv_in1k" in said and said.endswith("Still shown: ResNet-20 (CIFAR-10).")
    seen.page.wait_for_function("([id, name]) => document.querySelector(`#${id} input`).value === name", arg=[dropdown, before])
    assert seen.page.locator(FIRST_LABEL).first.inner_text() == label
    choose(seen, "model", "Plain-20")
    seen.page.wait_for_function("document.querySelector('#answer h2').innerText.startsWith('Plain-20')")
    assert seen.page.locator("#answer .sentence.error").count() == 0


@pytest.mark.parametrize(
    "missing",
    [
        "Object.defineProperty(navigator, 'mediaDevices', {value: undefined})",
        "Object.defineProperty(window, 'isSecureContext', {value: false})",
    ],
)
def test_where_the_browser_lends_no_camera_a_sentence_stands_for_it(
    app: App, visit: Callable[..., Watched], missing: str
) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    camera = seen.page.locator("#picture button[aria-label='Capture from camera']")
    assert camera.is_visible() and not seen.page.locator("#no-camera").is_visible()
    seen.page.add_init_script(missing)
    seen.page.reload()
    wait_for_answer(seen)
    assert seen.page.locator("#no-camera").is_visible() and not camera.is_visible()
    assert "https" in seen.page.locator("#no-camera").inner_text()
