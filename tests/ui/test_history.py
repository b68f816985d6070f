"""The browser's Back, forward and reload: each question is a step, and a picture of one's own is kept in its tab."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Route

from tests.ui.classify_page import (
    PRESSED,
    choose,
    clear,
    seen_by_the_network,
    upload,
    wait_for_another_picture,
    wait_for_answer,
)
from tests.ui.conftest import App, Watched

pytestmark = pytest.mark.browser
FIRST_CARD = "title => document.querySelector('#answer .card h2').innerText.startsWith(title)"
SEEN = "src => document.querySelector('#answer .seen img')?.src === src"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    Image.effect_noise((90, 60), 80).convert("RGB").save(tmp_path / "own.png")
    return tmp_path / "own.png"


def steps(watched: Watched) -> int:
    return int(watched.page.evaluate("history.length"))


def give(watched: Watched, path: Path) -> str:
    """Upload a picture and wait for its answer; gives what the network saw."""
    before = seen_by_the_network(watched)
    clear(watched)
    upload(watched, path)
    wait_for_another_picture(watched, before)
    watched.page.wait_for_function("location.search.includes('picture=own')")
    return seen_by_the_network(watched)


def test_back_and_forward_go_through_the_questions_with_picture_network_class_and_method(
    app: App, visit: Callable[..., Watched]
) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    first, cat = steps(seen), seen_by_the_network(seen)
    seen.page.locator("#examples button").nth(3).click()
    wait_for_another_picture(seen, cat)
    frog = seen_by_the_network(seen)
    choose(seen, "model", "Plain-20")
    seen.page.wait_for_selector("#answer .card.plain")
    seen.page.locator("#answer ol button").nth(2).click()
    seen.page.wait_for_function(PRESSED.format(2))
    choose(seen, "method", "Guided Grad-CAM")
    seen.page.wait_for_function("document.querySelectorAll('#answer .strip button').length === 4")
    assert steps(seen) == first + 4

    seen.page.go_back()
    seen.page.wait_for_function("document.querySelectorAll('#answer .strip button').length === 3")
    seen.page.wait_for_function(PRESSED.format(2))
    seen.page.wait_for_function("document.querySelector('#method input').value === 'Grad-CAM'")
    seen.page.go_back()
    seen.page.wait_for_function(PRESSED.format(0))
    assert seen.page.locator("#answer .card.plain").count() == 1
    seen.page.go_back()
    seen.page.wait_for_selector("#answer .card.residual")
    seen.page.wait_for_function("document.querySelector('#model input').value === 'ResNet-20 (CIFAR-10)'")
    assert seen_by_the_network(seen) == frog
    seen.page.go_back()
    seen.page.wait_for_function(SEEN, arg=cat)
    assert seen.page.locator("#picture img").get_attribute("src").endswith("cifar10-cat.png")  # type: ignore[union-attr]
    seen.page.go_forward()
    seen.page.wait_for_function(SEEN, arg=frog)
    assert steps(seen) == first + 4  # nothing of this is a new step


def test_stage_and_opacity_are_no_steps_and_back_brings_those_of_its_question(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    first, cat = steps(seen), seen_by_the_network(seen)
    seen.page.locator("#answer .strip button").first.click()
    seen.page.locator("#answer .opacity").focus()
    seen.page.keyboard.press("End")
    seen.page.wait_for_function("/stage=layer1.*opacity=1/.test(location.search)")
    assert steps(seen) == first
    seen.page.locator("#examples button").nth(3).click()
    wait_for_another_picture(seen, cat)
    seen.page.locator("#answer .strip button").nth(1).click()
    seen.page.go_back()
    seen.page.wait_for_function(SEEN, arg=cat)
    assert seen.page.locator("#answer .strip [aria-pressed=true]").get_attribute("data-stage") == "layer1"
    assert seen.page.locator("#answer .opacity").input_value() == "1"


def test_back_from_the_lab_shows_the_question_and_then_the_one_before(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    cat = seen_by_the_network(seen)
    seen.page.locator("#examples button").nth(3).click()
    wait_for_another_picture(seen, cat)
    frog = seen_by_the_network(seen)
    seen.page.get_by_role("tab", name="Lab").click()
    seen.page.wait_for_function("location.search.includes('tab=lab')")
    seen.page.go_back()
    seen.page.wait_for_function("!location.search.includes('tab=lab')")
    seen.page.wait_for_function(SEEN, arg=frog)
    seen.page.go_back()
    seen.page.wait_for_function(SEEN, arg=cat)
    assert seen.page.get_by_role("tab", name="Classify").get_attribute("aria-selected") == "true"


def test_three_quick_steps_back_show_the_third_and_leave_the_steps_forward(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    names = ["resnet32-cifar10", "resnet56-cifar10", "plain32-cifar10", "plain20-cifar10"]
    for name, title in zip(names, ["ResNet-32", "ResNet-56", "Plain-32", "Plain-20"], strict=True):
        choose(seen, "model", title)
        seen.page.wait_for_function(f"location.search.includes('model={name}')")
    length = steps(seen)
    step = "new Promise((then) => { addEventListener('popstate', then, {once: true}); history.back(); })"
    seen.page.evaluate(f"async () => {{ for (const _ of '123') await {step}; }}")
    seen.page.wait_for_function(FIRST_CARD, arg="ResNet-32")
    assert steps(seen) == length and "model=resnet32-cifar10" in seen.page.url
    seen.page.go_forward()
    seen.page.wait_for_function(FIRST_CARD, arg="ResNet-56")
    assert steps(seen) == length and "model=resnet56-cifar10" in seen.page.url


def test_a_second_step_back_is_answered_while_the_answer_to_the_first_is_on_its_way(
    app: App, visit: Callable[..., Watched]
) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    cat = seen_by_the_network(seen)
    seen.page.locator("#examples button").nth(3).click()
    wait_for_another_picture(seen, cat)
    seen.page.get_by_role("tab", name="Lab").click()
    seen.page.wait_for_function("location.search.includes('tab=lab')")
    requests: list[Route] = []

    def hold_second(route: Route) -> None:
        requests.append(route)
        if len(requests) != 2:
            route.continue_()

    seen.page.route("**/queue/join*", hold_second)
    seen.page.go_back()  # the first request reads the address, the second answers its picture
    while len(requests) < 2:
        seen.page.wait_for_timeout(50)
    seen.page.go_back()
    seen.page.wait_for_function(SEEN, arg=cat)
    requests[1].continue_()


def test_a_picture_of_one_s_own_is_there_after_a_reload_and_by_back_and_answered_as_before(
    app: App, visit: Callable[..., Watched], own: Path
) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    cat = seen_by_the_network(seen)
    mine = give(seen, own)
    seen.page.locator("#answer ol button").nth(1).click()
    seen.page.wait_for_function(PRESSED.format(1))
    said = seen.page.locator("#answer ol").inner_text()
    seen.page.reload()
    seen.page.wait_for_function(SEEN, arg=mine)
    seen.page.wait_for_function(PRESSED.format(1))
    assert seen.page.locator("#answer ol").inner_text() == said
    seen.page.wait_for_function("document.querySelector('#picture img').src.endsWith('own.png')")
    seen.page.locator("#examples button").first.click()
    seen.page.wait_for_function(SEEN, arg=cat)
    seen.page.go_back()
    seen.page.wait_for_function(SEEN, arg=mine)


def test_an_upload_that_was_deleted_and_somebody_else_s_picture_are_said_to_be_missing(
    app: App, visit: Callable[..., Watched], own: Path
) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    cat = seen_by_the_network(seen)
    give(seen, own)
    other = visit(seen.page.url)
    for path in (app.home / "uploads").rglob("own.png"):
        path.unlink()
    seen.page.reload()
    for page in (seen, other):
        toast = page.page.locator(".toast-body", has_text="The link's picture is a visitor's own")
        toast.wait_for()
        assert "The example 'CIFAR-10: cat' is shown instead." in toast.inner_text()
        page.page.wait_for_function(SEEN, arg=cat)
    (logged,) = seen.errors  # by the browser itself, as the file is gone
    assert logged.startswith("Failed to load resource")
    seen.errors.clear()


def test_a_picture_that_was_taken_away_does_not_come_back_by_reload(app: App, visit: Callable[..., Watched], own: Path) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    cat = seen_by_the_network(seen)
    give(seen, own)
    clear(seen)
    seen.page.wait_for_function("!location.search")
    seen.page.reload()
    seen.page.wait_for_function(SEEN, arg=cat)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("picture=nope", "There is no example picture 'nope'."),
        ("model=nope", "There is no network 'nope' here."),
        ("run=nope", "There is no run 'nope' here, or no longer"),
    ],
)
def test_what_a_link_names_and_is_not_there_is_said(app: App, visit: Callable[..., Watched], query: str, words: str) -> None:
    seen = visit(f"{app.url}?{query}")
    toast = seen.page.locator(".toast-body")
    toast.wait_for()
    assert words in toast.inner_text()
