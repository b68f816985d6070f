"""The Transfer tab in a real browser, from pictures to a classified one."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.data.archives import pack_link, picture
from tests.ui.conftest import App, Watched

pytestmark = pytest.mark.browser
WHAT = "document.querySelector('#transfer-curves .what')?.textContent"
RUN = "new URLSearchParams(location.search).get('run')"
DROP = """([selector, files]) => {
  const transfer = new DataTransfer();
  const bytes = (content) => Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
  for (const [name, type, content] of files) transfer.items.add(new File([bytes(content)], name, {type}));
  document.querySelector(selector).dispatchEvent(new DragEvent('drop', {dataTransfer: transfer, bubbles: true, cancelable: true}));
}"""
CAMERA = """() => { Object.defineProperty(navigator, 'mediaDevices', {value: {getUserMedia: async () => {
  const canvas = document.createElement('canvas'); canvas.width = 64; canvas.height = 48;
  const pen = canvas.getContext('2d');
  setInterval(() => { pen.fillStyle = `hsl(${Math.random() * 360} 80% 50%)`; pen.fillRect(0, 0, 64, 48); }, 20);
  return canvas.captureStream();
}}}); }"""


def open_tab(visit: Callable[..., Watched], app: App, query: str = "", **options: object) -> Page:
    """The page at a link to the tab, once the classes are there and a run can be started."""
    watched = visit(f"{app.url}?tab=transfer{query}", **options)
    watched.errors = Refusals()
    page = watched.page
    page.wait_for_selector("#classes .class")
    page.wait_for_selector("#transfer-start:not([disabled])")
    return page


class Refusals(list[str]):
    """Errors of a page, but for the answers that refuse a picture."""

    def append(self, text: str) -> None:
        """Keep an error of another kind."""
        if "400 (Bad Request)" not in text:
            super().append(text)


def drop(page: Page, selector: str, *files: tuple[str, str, bytes]) -> None:
    """Drop files of (name, type, content) on an element."""
    page.evaluate(DROP, [selector, [[name, kind, base64.b64encode(content).decode()] for name, kind, content in files]])


def shades(colour: tuple[int, int, int], count: int) -> list[tuple[str, str, bytes]]:
    """Noisy pictures around one colour, which a network learns to tell from those of another one."""
    files = []
    for number in range(count):
        noise = numpy.random.default_rng(number + sum(colour)).integers(-40, 41, (40, 40, 3)) + numpy.array(colour)
        file = io.BytesIO()
        Image.fromarray(numpy.clip(noise, 0, 255).astype(numpy.uint8)).save(file, "PNG")
        files.append((f"{colour[0]}-{number}.png", "image/png", file.getvalue()))
    return files


def count(page: Page, place: int, pictures: int) -> None:
    """Wait until a class has so many pictures."""
    page.wait_for_function(
        "([place, count]) => document.querySelectorAll('#classes .class')[place]?.querySelectorAll('.thumb').length === count",
        arg=[place, pictures],
    )


def becomes(page: Page, word: str) -> None:
    page.wait_for_function(f"word => {WHAT}?.startsWith(word)", arg=word)


@pytest.fixture(scope="module")
def trained() -> dict[str, str]:
    """The run that the first test trains, for those after it."""
    return {}


def test_own_pictures_are_dropped_learned_and_a_new_one_is_classified(
    app: App, visit: Callable[..., Watched], trained: dict[str, str], tmp_path: Path
) -> None:
    page = open_tab(visit, app)
    count(page, 0, 12)  # the examples, and what a network learned of them when it was recorded
    becomes(page, "Recorded")
    recorded = page.evaluate(RUN)
    expect(page.locator("#try-answer ol .label").first).to_have_text("cat")
    expect(page.locator("#transfer-said")).to_contain_text("on 100.0 % of the 4 test pictures")
    assert page.locator("#transfer-keep").is_disabled() and page.locator("#transfer-stop").is_disabled()
    page.get_by_role("button", name="Begin with my own").click()
    count(page, 0, 0)
    for place, name in enumerate(("red mug", "blue pen")):
        page.locator("#classes .name").nth(place).fill(name)
        page.keyboard.press("Enter")
        page.wait_for_selector(f"#classes .class[data-name='{name}']")
    red, blue = shades((200, 60, 60), 6), shades((60, 60, 200), 6)
    drop(page, "[data-name='red mug']", *red[:5], ("notes.png", "image/png", b"no picture"))
    count(page, 0, 5)
    expect(page.locator("#classes .news")).to_contain_text("notes.png: The file is not a picture")
    files = [{"name": name, "mimeType": kind, "buffer": content} for name, kind, content in [*blue[:5], red[0]]]
    page.locator("[data-name='blue pen'] .files").set_input_files(files)  # type: ignore[arg-type]  # as Playwright documents it
    count(page, 1, 5)
    expect(page.locator("#classes .news")).to_contain_text("is in another class already")
    page.wait_for_function("document.querySelector('#transfer-estimate')?.innerText.includes('6 pictures of 2 classes')")
    page.click("#transfer-start")
    page.wait_for_function(f"recorded => {RUN} !== recorded", arg=recorded)
    trained["run"] = page.evaluate(RUN)
    page.reload()
    becomes(page, "Finished")
    count(page, 0, 5)
    assert page.evaluate(RUN) == trained["run"]
    expect(page.locator("#outcome .confusion thead")).to_contain_text("blue pen")
    expect(page.locator("#transfer-said")).to_contain_text("test pictures")
    (tmp_path / "new.png").write_bytes(blue[5][2])
    page.locator("#try-picture input[type=file]").first.set_input_files(tmp_path / "new.png")
    expect(page.locator("#try-answer ol .label").first).to_have_text("blue pen")
    page.wait_for_selector("#try-answer .card > .view img.heat")
    page.get_by_role("link", name="Open it in Classify").click()  # before it is kept
    expect(page.locator("#model input")).to_have_value("The transferred network")
    expect(page.locator("#answer ol .label").first).to_have_text(re.compile("red mug|blue pen"))
    page.go_back()
    becomes(page, "Finished")
    page.locator("#transfer-name input, #transfer-name textarea").first.fill("mug-or-pen")
    page.click("#transfer-keep:not([disabled])")
    page.get_by_text("Kept as mug-or-pen").wait_for()
    expect(page.locator("#transfer-kept")).to_contain_text("python -m resnet_demo publish mug-or-pen --repo USER/NAME")
    page.get_by_role("tab", name="Classify").click()
    page.locator("#model input").click()
    assert page.get_by_role("option").filter(has_text="mug-or-pen").count() == 1


def test_a_link_shows_the_run_to_others_on_a_phone_and_not_in_the_lab(
    app: App, visit: Callable[..., Watched], trained: dict[str, str]
) -> None:
    page = open_tab(visit, app, f"&run={trained['run']}", width=390, height=844)
    becomes(page, "Finished")
    expect(page.locator("#outcome table").first).to_be_visible()
    page.wait_for_selector("#try-answer .card > .view img.heat")
    count(page, 0, 12)  # the other visitor's pictures are not theirs
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.click("#transfer-keep:not([disabled])")
    page.locator("#transfer-name input, #transfer-name textarea").first.fill("stolen")
    page.get_by_text("another visitor's run").first.wait_for()
    page.get_by_role("tab", name="Lab").click()
    page.wait_for_selector("#curves .what")
    page.get_by_text("All runs").click()
    assert page.locator("#runs").get_by_text("Own pictures").count() == 0


def test_the_curves_mark_where_another_phase_begins(app: App, visit: Callable[..., Watched], trained: dict[str, str]) -> None:
    page = visit("about:blank").page  # the answers are set before the page asks
    told = httpx.get(f"{app.url}runs/{trained['run']}").json()
    started = next(event for event in told["events"] if event["kind"] == "started")
    features = {"kind": "features", "step": 0, "purpose": "training", "done": 3, "total": 8, "cached": 0}
    answer = {"state": told["state"] | {"status": "running"}, "events": [features], "offset": 1}
    page.route(f"**/runs/{trained['run']}?*", lambda route: route.fulfill(json=answer))
    page.goto(f"{app.url}?tab=transfer&run={trained['run']}")
    expect(page.locator("#transfer-curves .detail")).to_have_text("The base looks at the pictures, once: 3 of 8.")
    phases = [
        {"kind": "phase", "step": 1, "name": "head", "arms": ["transfer"], "last": 10},
        {"kind": "phase", "step": 11, "name": "fine-tuning", "arms": ["transfer"], "last": 20},
    ]
    answer["events"] = [features | {"done": 8}, started | {"steps": 20}, *phases]
    page.wait_for_selector("#transfer-curves svg.loss .phase", state="attached")
    names = page.locator("#transfer-curves svg.loss .phase-name")
    assert names.all_text_contents() == ["new head", "fine-tuning"]
    assert page.locator("#transfer-curves svg.gradient").is_hidden()


def test_the_tab_is_used_by_keyboard_and_a_run_is_stopped(app: App, visit: Callable[..., Watched]) -> None:
    page = open_tab(visit, app, width=390, height=844)
    page.locator("#classes .thumb").first.focus()
    page.keyboard.press("Enter")
    count(page, 0, 11)
    assert page.evaluate("document.activeElement.className") == "thumb"
    page.get_by_role("button", name="Add a class").focus()
    page.keyboard.press("Enter")
    page.wait_for_selector("#classes .class[data-name='Class 1']")
    page.keyboard.type("ship")
    page.keyboard.press("Enter")
    expect(page.locator("#classes .news")).to_contain_text("There is a class 'ship' already")
    page.get_by_role("button", name="Remove the class Class 1").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#classes .class")).to_have_count(2)
    page.locator("#transfer-start").focus()
    page.keyboard.press("Enter")
    page.locator("#transfer-stop:not([disabled])").focus()
    page.keyboard.press("Enter")
    page.wait_for_function(f"/^(Stopped|Finished)/.test({WHAT} || '')")


def test_a_hostile_zip_and_too_few_pictures_are_told_on_the_page(app: App, visit: Callable[..., Watched]) -> None:
    page = open_tab(visit, app)
    drop(page, "#classes .classes", ("set.zip", "application/zip", pack_link()))
    expect(page.locator("#classes .news")).to_contain_text("a link or a device")
    drop(page, "#classes .classes", ("a.png", "image/png", picture(7)))
    expect(page.locator("#classes .news")).to_contain_text("Drop pictures on one of the classes")
    count(page, 0, 12)
    page.get_by_role("button", name="Begin with my own").click()
    page.wait_for_function("document.querySelector('#transfer-estimate')?.innerText.includes('has no picture')")
    page.click("#transfer-start")
    page.get_by_text("has no picture: it needs at least two").last.wait_for()


def test_the_camera_takes_pictures_as_long_as_its_button_is_held(app: App, visit: Callable[..., Watched]) -> None:
    page = open_tab(visit, app)
    page.evaluate(CAMERA)
    page.get_by_role("button", name="Begin with my own").click()
    count(page, 0, 0)
    page.locator("#classes .camera").first.click()
    page.wait_for_function("document.querySelector('#classes video')?.videoWidth > 0")
    hold = page.locator("#classes .hold")
    hold.focus()
    page.keyboard.down("Enter")
    page.wait_for_function("document.querySelectorAll('#classes .thumb').length >= 2")
    page.keyboard.up("Enter")
    page.get_by_role("button", name="Close the camera").click()
    assert page.locator("#classes video").count() == 0
