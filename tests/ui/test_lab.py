"""The Lab tab in a real browser, and its endpoints."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests.ui.conftest import TEACHER, App, Watched
from tests.ui.laboratory import becomes, begin, open_settings, start, until

pytestmark = pytest.mark.browser
TINY = {"depth": 8, "image_size": 16, "steps": 30, "batch": 16, "warmup": 2}
POINTS = "document.querySelectorAll('#curves svg.loss path').length"


def open_lab(visit: Callable[..., Watched], url: str, **options: object) -> Watched:
    seen = visit(url, **options)
    seen.page.get_by_role("tab", name="Lab").click()
    seen.page.wait_for_selector("#curves .what")
    return seen


def test_the_default_run_shows_live_curves_that_a_reload_and_another_browser_find_again(
    app: App, visit: Callable[..., Watched]
) -> None:
    seen = open_lab(visit, app.url)
    run = begin(seen.page, app)
    seen.page.wait_for_function(f"{POINTS} >= 2")
    link = seen.page.url
    seen.page.reload()
    seen.page.wait_for_function(f"{POINTS} >= 2")
    other = visit(link, width=390, height=844)
    other.page.wait_for_function(f"{POINTS} >= 2")
    assert other.page.evaluate("document.documentElement.scrollWidth") <= 390
    with pytest.raises(AppError, match="teacher's token"):
        Client(app.url, verbose=False).predict(run, "somebody else", "", api_name="/stop_run")
    seen.page.click("#stop:not([disabled])")
    becomes(seen.page, "Stopped")
    seen.page.wait_for_function("document.querySelector('#said')?.innerText.length > 40")
    becomes(other.page, "Stopped")


def test_a_run_of_the_api_is_trained_to_its_end_and_exported(app: App, visit: Callable[..., Watched]) -> None:
    client = Client(app.url, verbose=False)
    run = client.predict(TINY, "a class", api_name="/start_run")
    seen = visit(f"{app.url}?run={run}")
    becomes(seen.page, "Finished")
    told = client.predict(run, 0, api_name="/run")
    assert told["state"]["status"] == "finished"
    assert {event["arm"] for event in told["events"] if event["kind"] == "training"} == {"plain8-s0", "residual8-s0"}
    for form, first in (("csv", b"step,"), ("json", b"{"), ("png", b"\x89PNG"), ("zip", b"PK")):
        with seen.page.expect_download() as download:
            seen.page.click(f"#curves a.export[data-form={form}]")
        assert download.value.path().read_bytes().startswith(first)


def test_a_run_is_paused_continued_to_its_end_and_kept_for_classify(app: App, visit: Callable[..., Watched]) -> None:
    page = open_settings(visit, app, TINY | {"steps": 160})
    begin(page, app)
    page.click("#pause:not([disabled])")
    becomes(page, "Paused")
    page.click("#continue:not([disabled])")
    becomes(page, "Finished")
    page.get_by_text("Keep a trained network").click()
    page.locator("#arm-name input, #arm-name textarea").first.fill("my-tiny-net")
    page.wait_for_function("document.querySelector('#arm input').value.includes('residual8')")
    page.click("#keep")
    page.get_by_text("Kept as my-tiny-net").wait_for()
    page.get_by_role("tab", name="Classify").click()
    page.locator("#model input").click()
    assert page.get_by_role("option").filter(has_text="my-tiny-net").count() == 1


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"depth": 21}, "depth"),
        ({"learning_rate": "NaN"}, "learning_rate"),
        ({"steps": 0}, "steps"),
        ({"batch": True}, "batch"),
        ({"data": "/etc"}, "data"),
        ({"colour": 1}, "colour"),
    ],
)
def test_bad_settings_of_the_api_are_refused_with_their_name(app: App, settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(AppError, match=sentence):
        Client(app.url, verbose=False).predict(settings, "a class", api_name="/start_run")


def test_the_teachers_token_stops_anothers_run(app: App) -> None:
    client = Client(app.url, verbose=False)
    run = start(client, TINY | {"steps": 20_000}, "a pupil")  # with the token: so many steps may take too long for a pupil
    assert client.predict(run, "the teacher", TEACHER, api_name="/stop_run") == "stopping"
    until(client, run, "stopped")


def test_the_blocks_that_are_compared_follow_the_settings(app: App, visit: Callable[..., Watched]) -> None:
    page = open_settings(visit, app, TINY | {"depth": 14})
    page.get_by_text("What is compared").click()
    page.wait_for_selector("#blocks svg.residual[aria-label*='x is 16×16×16']")
    assert "nothing is added" in str(page.locator("#blocks svg.plain").get_attribute("aria-label"))
    page.get_by_text("layer3, first block").click()
    page.wait_for_selector("#blocks svg.residual[aria-label*='32 channels of zeros']")
    assert not page.locator("#blocks select").is_visible()
