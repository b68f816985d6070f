"""What the words over the curves tell, to eyes and to ears, while the server's answers are the test's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from gradio_client import Client
from playwright.sync_api import Page, Route

from tests.ui.conftest import App, Watched
from tests.ui.laboratory import TINY, becomes, finished, open_run

pytestmark = pytest.mark.browser
STEPS = 30
SPOKEN = "document.querySelector('#curves .spoken')"
LISTEN = (
    f"window.heard = []; new MutationObserver(() => heard.push({SPOKEN}.textContent)).observe({SPOKEN}, {{childList: true}})"
)


@pytest.fixture(scope="module")
def run(app: App) -> str:
    return finished(app, TINY | {"steps": STEPS})


def answered(page: Page, run: str, answer: dict[str, Any]) -> None:
    """Let the page hear `answer`, as it stands at that moment, each time it asks for the run."""

    def respond(route: Route) -> None:
        route.fulfill(json=answer)

    page.route(f"**/runs/{run}?*", respond)


def training(app: App, run: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """An answer as from the moment when the run began, and its first event."""
    told = Client(app.url, verbose=False).predict(run, 0, api_name="/run")
    started = next(event for event in told["events"] if event["kind"] == "started")
    return {"state": told["state"] | {"status": "running"}, "events": [started], "offset": 1}, started


def detail(page: Page, words: str) -> None:
    page.wait_for_function("words => document.querySelector('#curves .detail')?.textContent.startsWith(words)", arg=words)


def test_who_hears_the_page_is_told_of_quarters_divergence_and_the_end_and_not_of_each_number(
    app: App, visit: Callable[..., Watched], run: str
) -> None:
    page = visit("about:blank").page  # the answers are set before the page asks
    answer, _ = training(app, run)
    answered(page, run, answer)
    page.goto(f"{app.url}?run={run}")
    detail(page, "Step 0 of 30")
    page.evaluate(LISTEN)
    for step in (1, 2, 7, 8, 9, 20, 21):
        point = {"kind": "training", "arm": "plain8-s0", "step": step, "loss": 2.0, "error": 0.5, "learning_rate": 0.1}
        answer["events"] = [point]
        detail(page, f"Step {step} of 30")
    answer["events"] = [{"kind": "diverged", "arm": "plain8-s0", "step": 21}]
    page.get_by_text("plain8-s0 diverged at step 21").first.wait_for()
    answer |= {"state": answer["state"] | {"status": "finished"}, "events": []}
    becomes(page, "Finished")
    heard = page.evaluate("heard")
    assert [words.split(".")[1].strip() for words in heard] == ["Step 8 of 30", "Step 20 of 30", "Step 21 of 30", "30 steps"]
    assert "plain8-s0 diverged at step 21" in heard[2]
    live = page.locator("#curves").locator("[aria-live], [role=status]")
    assert live.evaluate_all("nodes => nodes.map((node) => node.className)") == ["spoken"]


def test_a_run_that_goes_on_tells_that_its_data_are_fetched(app: App, visit: Callable[..., Watched], run: str) -> None:
    page = visit("about:blank").page  # the answers are set before the page asks
    answer, started = training(app, run)
    answer["events"] = [started, {"kind": "fetching", "step": 0, "what": "CIFAR-10", "done": 2_000_000, "total": 9_000_000}]
    answered(page, run, answer)
    page.goto(f"{app.url}?run={run}")
    detail(page, "Fetching CIFAR-10: 2 of 9 MB.")
    answer["events"] = [started]
    detail(page, "Step 0 of 30")


def test_nothing_is_drawn_between_two_answers(app: App, visit: Callable[..., Watched], run: str) -> None:
    page = visit("about:blank").page  # the answers are set before the page asks
    answer, started = training(app, run)
    answered(page, run, answer)
    page.goto(f"{app.url}?run={run}")
    for step in (10, 20):
        answer["events"] = [
            started,
            {"kind": "progress", "step": step, "images_per_second": 9.0, "seconds_left": 9.0, "memory_mb": 9.0},
        ]
        detail(page, f"Step {step} of 30")
        # What moves by itself is laid out and painted sixty times a second: a fifth of a core, while the same cores train.
        assert page.evaluate("document.querySelector('#curves').getAnimations({subtree: true}).length") == 0
        width = page.locator("#curves .done").evaluate("bar => parseFloat(bar.style.width)")
        assert width == pytest.approx(100 * step / STEPS, rel=1e-4)


def test_a_run_drawn_beside_and_deleted_leaves_the_words_of_the_one_that_is_shown(
    app: App, visit: Callable[..., Watched], run: str
) -> None:
    other = finished(app, TINY | {"seed": 3})
    page = open_run(visit, app, other)
    becomes(page, "Finished")
    answered(page, run, {"error": "There is no run."})
    page.get_by_text("All runs").click()
    page.locator("#overlays input").click()
    with page.expect_response(f"**/runs/{run}?*"), page.expect_response(f"**/runs/{other}?*"):
        page.get_by_role("option").filter(has_text=run).click()
    page.evaluate("new Promise(requestAnimationFrame)")
    assert page.locator("#curves .what").inner_text() == "Finished."
    answered(page, other, {"error": "It was deleted."})
    becomes(page, "This run cannot be shown")
    assert page.locator("#curves .detail").inner_text() == "It was deleted."


def test_a_room_watches_one_run_on_the_projector_and_on_phones(app: App, visit: Callable[..., Watched], run: str) -> None:
    projector = visit(f"{app.url}?view=projector&run={run}", width=1920, height=1080).page
    projector.wait_for_function("document.querySelector('#curves .what')?.textContent === 'Finished.'")
    projector.wait_for_function("document.querySelector('#said')?.textContent.includes('steps')")
    for hidden in ("#start", "#tabs [role=tab]", "#stop", "#repeat", "footer", "#curves .smooth"):
        assert not projector.locator(hidden).first.is_visible(), hidden
    assert projector.evaluate("document.documentElement.scrollWidth") <= 1920
    assert projector.locator("#curves svg.loss").bounding_box()["width"] > 800  # type: ignore[index]
    phone = visit(f"{app.url}?run={run}", width=390, height=844, color_scheme="dark").page
    for page in (phone, projector):
        page.wait_for_function(
            "document.querySelector('#curves .facts')?.textContent.includes('1 other watches: one starts, all watch')"
        )
    reading = phone.locator("#curves .reading[data-figure=loss]")
    assert reading.is_visible() and reading.inner_text().startswith(f"At step {STEPS} it is ")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
