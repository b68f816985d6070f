"""The lab's settings in a real browser: links, mistakes, keys, small and dark screens."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
import socket
from collections.abc import Callable
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page

from resnet_demo.comparison import PRESETS, LabSettings
from tests.ui.conftest import FLAGS, TEACHER, App, Watched
from tests.ui.laboratory import TINY, becomes, begin, finished, open_run, open_settings

pytestmark = pytest.mark.browser


def value(page: Page, setting: str) -> str:
    return page.locator(f"#set-{setting} input").first.input_value()


def wait_for_estimate(page: Page, words: str) -> None:
    page.wait_for_function("words => document.querySelector('#estimate')?.innerText.includes(words)", arg=words)


def test_a_link_carries_settings_and_the_page_gives_such_a_link(app: App, visit: Callable[..., Watched]) -> None:
    settings = {"depth": 20, "other_depth": 56, "steps": 310, "seeds": 3, "augment": True, "label_smoothing": 0.1}
    page = open_settings(visit, app, settings)
    assert page.locator("#preset input:checked").count() == 0  # they are no preset's
    wait_for_estimate(page, "5.0 epochs of 4,000 images")
    page.get_by_text("Settings", exact=True).click()
    assert [value(page, name) for name in ("depth", "other_depth", "steps", "seeds", "label_smoothing")] == [
        "20",
        "56",
        "310",
        "3",
        "0.1",
    ]
    assert page.locator("#set-augment input").is_checked()
    page.wait_for_function("document.querySelector('#link input')?.value.startsWith('http')")
    link = page.locator("#link input").input_value()
    again = visit(link).page
    wait_for_estimate(again, "310 steps, 5.0 epochs")
    again.get_by_text("Settings", exact=True).click()
    assert value(again, "other_depth") == "56"


def test_a_link_with_a_mistake_opens_the_defaults_and_says_so(app: App, visit: Callable[..., Watched]) -> None:
    page = visit(f"{app.url}?settings={quote(json.dumps({'depth': 33}))}").page
    warning = page.locator(".toast-body", has_text="depth")
    warning.wait_for()
    assert "these are the default ones" in warning.inner_text()
    wait_for_estimate(page, f"{LabSettings().steps} steps")
    assert page.locator("#preset input:checked").count() == 1


def test_epochs_replace_steps_until_steps_are_typed(app: App, visit: Callable[..., Watched]) -> None:
    page = open_settings(visit, app, {"steps": 310})
    page.get_by_text("Settings", exact=True).click()
    page.locator("#set-epochs input").fill("2")
    wait_for_estimate(page, "124 steps, 2.0 epochs of 4,000 images")
    page.locator("#set-steps input").fill("93")
    wait_for_estimate(page, "93 steps, 1.5 epochs")
    assert value(page, "epochs") == "0"


def test_a_mistake_is_answered_in_a_sentence_and_the_page_lives_on(app: App, visit: Callable[..., Watched]) -> None:
    page = open_settings(visit, app, TINY)
    page.get_by_text("Settings", exact=True).click()
    steps = page.locator("#set-steps input")
    for mistake, sentence in (
        ("0", "steps: should be at least 1 and at most 100000"),
        ("3", "warmup must be at most half of the 3 steps, not 2"),
        ("2.5", "steps: "),
        ("", "steps: "),
    ):
        steps.fill(mistake)
        wait_for_estimate(page, sentence)
        page.click("#start")
        page.locator(".toast-body", has_text=sentence).first.wait_for()
        assert page.locator("#curves .what").inner_text() != "Waiting."
    steps.fill("30")
    wait_for_estimate(page, "30 steps")
    begin(page, app)
    becomes(page, "Finished")


def test_the_papers_recipe_asks_for_the_token_before_and_after_start(app: App, visit: Callable[..., Watched]) -> None:
    page = open_settings(visit, app, TINY)
    page.get_by_label("The paper's recipe").check()
    wait_for_estimate(page, "Runs of more than 5 hours need the teacher's token.")
    page.wait_for_selector("""#preset input[value="The paper's recipe"]:checked""")  # all its settings have arrived
    page.click("#start")
    page.locator(".toast-body", has_text="This run of 64,000 steps (164.1 epochs) would take about").wait_for()
    page.get_by_text("For the teacher").click()
    page.locator("#token input").fill("a guess")
    wait_for_estimate(page, "the token that was typed is not the teacher's")
    page.locator("#token input").fill(TEACHER)
    wait_for_estimate(page, "the teacher's token allows it")
    assert "need the teacher's token" not in page.locator("#estimate").inner_text()


def test_the_forecast_of_any_preset_names_a_range_or_says_that_it_is_being_measured(
    app: App, visit: Callable[..., Watched]
) -> None:
    page = open_settings(visit, app, TINY)
    for title, preset in PRESETS.items():
        page.get_by_label(title, exact=True).check()
        wait_for_estimate(page, f": {preset.settings.steps:,} steps, ")
        assert re.search(
            r"About [\d,]+ (\w+ )?to [\d,]+ \w+ on this machine|Its networks are (being )?timed",
            page.locator("#estimate").inner_text(),
        )


def test_the_link_is_copied_on_a_class_network_where_the_browser_lends_no_clipboard(app: App, browser: Browser) -> None:
    host = socket.gethostname()  # over plain http any name but localhost is an insecure context
    arguments = [*FLAGS, f"--host-resolver-rules=MAP {host} 127.0.0.1"]
    own = browser.browser_type.launch(executable_path=shutil.which("chromium"), args=arguments)
    page = own.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{app.url.replace('127.0.0.1', host)}?settings={quote(json.dumps(TINY))}")
    assert page.evaluate("[isSecureContext, Boolean(navigator.clipboard)]") == [False, False]
    page.get_by_text("Settings", exact=True).click()
    page.wait_for_function("document.querySelector('#link input')?.value.includes('settings=')")
    page.click("#link button")
    page.wait_for_function("document.querySelector('#link button').textContent === 'Copied'")
    page.evaluate("document.body.append(Object.assign(document.createElement('textarea'), {id: 'pasted'}))")
    page.focus("#pasted")
    page.keyboard.press("Control+V")
    pasted, link = page.locator("#pasted").input_value(), page.locator("#link input").input_value()
    own.close()
    assert pasted == link
    assert link.startswith(f"http://{host.lower()}:")


def test_on_a_phone_the_way_to_start_comes_first_and_the_curves_follow(app: App, visit: Callable[..., Watched]) -> None:
    finished(app, TINY)
    page = visit(app.url, width=390, height=844, is_mobile=True, has_touch=True).page
    page.get_by_role("tab", name="Lab").click()
    page.wait_for_selector("#start:not([disabled])")
    page.wait_for_function("document.querySelectorAll('#curves svg.loss path').length >= 2")
    start, curves = (
        page.evaluate("name => document.querySelector(name).getBoundingClientRect().bottom", name)
        for name in ("#start", "#curves")
    )
    assert start <= 844 < curves
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.set_viewport_size({"width": 1280, "height": 800})
    left, right = (page.locator(name).bounding_box() for name in ("#start", "#curves"))
    assert left and right and left["x"] + left["width"] <= right["x"]


def test_a_run_is_started_and_stopped_by_keys_alone(app: App, visit: Callable[..., Watched]) -> None:
    page = open_settings(visit, app, TINY | {"steps": 20_000})

    def walk_to(identity: str) -> None:
        for _ in range(80):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.id") == identity:
                return
        raise AssertionError(f"#{identity} cannot be reached by the Tab key")

    walk_to("start")
    page.keyboard.press("Enter")
    becomes(page, "Training")
    page.wait_for_selector("#stop:not([disabled])")
    walk_to("stop")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"  # one sees where one is
    page.keyboard.press("Enter")
    becomes(page, "Stopped")


def test_who_starts_a_run_on_a_phone_sees_it_train(app: App, visit: Callable[..., Watched]) -> None:
    finished(app, TINY)
    page = open_settings(visit, app, TINY, width=390, height=844, is_mobile=True, has_touch=True)
    page.wait_for_function("document.querySelectorAll('#curves svg.loss path').length >= 2")
    seen = """() => ['#stop', '#curves .what', '#curves svg.loss'].every((name) => {
        const at = document.querySelector(name).getBoundingClientRect(); return at.top >= 0 && at.bottom <= innerHeight; })"""
    assert not page.evaluate(seen)
    begin(page, app)
    page.wait_for_function(seen)


def test_a_run_is_taken_away_on_a_phone(app: App, visit: Callable[..., Watched]) -> None:
    page = open_run(visit, app, finished(app, TINY), width=390, height=844, is_mobile=True, has_touch=True)
    page.get_by_text("All runs").click()
    page.locator("#runs").get_by_text("residual8-s0").last.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390  # the table scrolls, not the page
    for link in page.locator("#curves a.export").all():
        box = link.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 390
    with page.expect_download() as download:
        page.tap("#curves a.export[data-form=csv]")
    rows = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert sum(row["on"] == "training" for row in rows) == 60
    texts = page.locator("#curves svg.loss text").all()
    boxes = [text.bounding_box() for text in texts]
    assert all(box and box["x"] >= 0 and box["x"] + box["width"] <= 390 for box in boxes)
    assert {page.evaluate("node => getComputedStyle(node).fontSize", text.element_handle()) for text in texts} == {"14px"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_written_stands_out_from_what_it_is_written_on(app: App, visit: Callable[..., Watched], scheme: str) -> None:
    page = open_run(visit, app, finished(app, TINY), color_scheme=scheme)
    page.wait_for_function("document.querySelector('#said').innerText.length > 40")
    for late in ("#estimate p", "#curves svg.loss text", ".exports a"):
        page.wait_for_selector(late)
    ratios = page.evaluate(
        CONTRAST, ["#curves .what", "#curves .facts", "#said p", "#curves svg.loss text", "#estimate p", ".exports a"]
    )
    assert all(ratio >= 4.5 for ratio in ratios.values()), ratios
    assert page.evaluate("document.body.classList.contains('dark')") == (scheme == "dark")


# The contrast of WCAG 2: of a text's colour (or an SVG text's fill) to the nearest painted background behind it.
CONTRAST = """selectors => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => { const [r, g, b] = numbers(colour).map((v) => { v /= 255; return v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const behind = (node) => { for (; node; node = node.parentElement) { const colour = getComputedStyle(node).backgroundColor, parts = numbers(colour); if (parts.length === 3 || parts[3] > 0.5) return colour; } return 'rgb(255, 255, 255)'; };
  return Object.fromEntries(selectors.map((selector) => {
    const node = document.querySelector(selector), style = getComputedStyle(node);
    const [a, b] = [light(node instanceof SVGElement ? style.fill : style.color), light(behind(node))];
    return [selector, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
  }));
}"""  # noqa: E501 - a small script
