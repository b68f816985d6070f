"""The Inside tab in a real browser: from the first screen to each experiment's picture, its link, its files, its refusals."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from resnet_demo.inside.experiments import EXPERIMENTS
from tests.ui.conftest import App, Watched

pytestmark = pytest.mark.browser
SHOWN = "name => document.querySelector('#experiment .inside:not(.waiting)')?.dataset.shown === name"


def wait_for(watched: Watched, experiment: str, words: str) -> None:
    """Until an experiment is shown and its sentence holds these words."""
    watched.page.wait_for_function(SHOWN, arg=experiment)
    watched.page.wait_for_function(
        "words => document.querySelector('#experiment .sentence').textContent.includes(words)", arg=words
    )


def test_each_experiment_leads_from_the_first_screen_to_its_picture_and_back(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(app.url)
    page = seen.page
    page.get_by_role("tab", name="Inside").click()
    wait_for(seen, "gradients", "At 56 layers the plain network's gradient at one point says nothing about the next one")
    label = page.locator("#experiment svg.plot").nth(3).get_attribute("aria-label") or ""
    assert "plain: 0.93 at 8" in label and "residual: 0.98 at 8" in label
    page.get_by_label("Layer responses").click()
    wait_for(seen, "responses", "The layers of ResNet-20 (CIFAR-10) respond with 1.78 on average.")
    assert "experiment=responses" in page.url
    assert page.locator("#experiment .source a").get_attribute("href") == EXPERIMENTS["responses"].link
    page.get_by_label("What a layer sees").click()
    wait_for(seen, "maps", "layer1.0 of ResNet-20 (CIFAR-10) makes 16 maps of 32×32")
    assert page.locator("#experiment .tile img").count() == 17
    for form, head in (("csv", b"figure,line,x,y"), ("png", b"\x89PNG")):
        link = page.locator(f"#experiment a[data-form={form}]").get_attribute("href") or ""
        answer = httpx.get(link, timeout=60)
        assert answer.status_code == 200 and answer.content.startswith(head)
    page.go_back()
    wait_for(seen, "responses", "on average.")
    page.go_back()
    wait_for(seen, "gradients", "At 56 layers")
    assert "experiment" not in page.url


@pytest.mark.parametrize(("width", "height", "scheme"), [(1280, 800, "light"), (390, 844, "dark")])
def test_the_surface_that_ships_is_drawn_at_once_as_a_map_and_turns_as_a_relief_by_keyboard_and_pointer(
    app: App, visit: Callable[..., Watched], width: int, height: int, scheme: str
) -> None:
    seen = visit(f"{app.url}?tab=inside&experiment=surface", width=width, height=height, color_scheme=scheme)
    page = seen.page
    wait_for(seen, "surface", "The loss of ResNet-20 (CIFAR-10) is 0.22, and at most 1 on 11 % of the plane.")
    first = page.locator("#experiment svg.plot").first
    assert first.locator("rect").count() == 15 * 15
    page.get_by_role("button", name="3-D").first.press("Enter")
    assert page.locator("#experiment .views button[aria-pressed=true]").all_inner_texts() == ["3-D", "3-D"]
    shape = "svg => svg.querySelector('path').getAttribute('d')"
    before = first.evaluate(shape)
    first.press("ArrowRight")
    turned = first.evaluate(shape)
    assert turned != before
    first.scroll_into_view_if_needed()
    box = first.bounding_box()
    assert box is not None
    first.hover()
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2 + 60, box["y"] + box["height"] / 2)
    page.mouse.up()
    assert first.evaluate(shape) != turned
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("gradients&depth=110", "679,132 times as large"),
        ("dial", "without shortcuts; at α = 0.85 it has lost half of its lead over chance."),
        ("neighbours", "Of the 12 pictures whose features lie nearest, 12 are of that class"),
    ],
)
def test_a_link_shows_its_experiment_on_a_phone_in_the_dark(
    app: App, visit: Callable[..., Watched], query: str, words: str
) -> None:
    seen = visit(f"{app.url}?tab=inside&experiment={query}", width=390, height=844, color_scheme="dark", has_touch=True)
    wait_for(seen, query.partition("&")[0], words)
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_an_experiment_that_takes_long_says_so_and_can_be_cancelled(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(f"{app.url}?tab=inside&experiment=gradients&depth=98&seed=7")
    page = seen.page
    page.locator("#experiment .cancel").click()
    page.wait_for_function("document.querySelector('#experiment .sentence')?.textContent === 'Cancelled.'")
    page.get_by_label("What a layer sees").click()
    wait_for(seen, "maps", "16 maps of 32×32")  # the one before has freed the processors


def test_a_link_that_asks_what_is_not_there_shows_the_first_screen_and_says_so(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(f"{app.url}?tab=inside&experiment=dial&model=nobody")
    seen.page.get_by_text("is not among the networks for CIFAR-10 of this app. What the link asks is left out.").wait_for()
    wait_for(seen, "gradients", "At 56 layers")


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("exe", "There is no export 'exe': say csv, png."), ("csv?depth=9", "6n+2"), ("csv?experiment=drop&model=../runs", "is not among"),
        ("csv?experiment=maps&picture=x", "is not among the pictures"), ("png?seed=98", "is not kept here"),
    ],
)  # fmt: skip
def test_an_export_that_is_not_there_is_a_sentence(app: App, query: str, words: str) -> None:
    answer = httpx.get(f"{app.url}inside/{query}", timeout=60)
    assert answer.status_code == 404 and words in answer.text


@pytest.mark.parametrize(
    ("experiment", "settings", "words"),
    [
        ("nothing", {}, "experiment"), ("gradients", {"depth": 9}, "6n"), ("dial", {"model": "plain20-cifar10"}, "no shortcuts"),
        ("maps", {"layer": 50}, "has 9 blocks"), ("gradients", [], "settings"), ("gradients", {"x": 1}, "x"),
    ],
)  # fmt: skip
def test_the_endpoint_refuses_in_a_sentence(app: App, experiment: str, settings: object, words: str) -> None:
    with pytest.raises(AppError, match=words):
        Client(app.url, verbose=False).predict(experiment, settings, api_name="/inside")
