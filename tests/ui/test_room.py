"""The teacher shows a run to everyone, the projector follows, and a visitor clears a list."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests.ui.conftest import TEACHER, App, Watched
from tests.ui.laboratory import TINY, becomes, begin, finished, open_settings, start, until

pytestmark = pytest.mark.browser
SHOWN = "run => document.querySelector('#curves .exports a')?.href.includes(run)"


@pytest.fixture
def client(app: App) -> Iterator[Client]:
    """A script; whatever it pinned is no longer pinned afterwards."""
    script = Client(app.url, verbose=False)
    yield script
    script.predict("", TEACHER, api_name="/pin_run")


def test_pages_without_a_run_of_their_own_and_the_projector_go_to_the_run_that_the_teacher_shows(
    app: App, client: Client, visit: Callable[..., Watched]
) -> None:
    first, second = finished(app, TINY), finished(app, TINY | {"seed": 1})
    free = visit(f"{app.url}?tab=lab").page
    free.wait_for_function(SHOWN, arg=second)
    chosen = visit(f"{app.url}?run={second}").page
    chosen.wait_for_function(SHOWN, arg=second)
    projector = visit(f"{app.url}?view=projector", width=1920, height=1080).page
    projector.wait_for_function(SHOWN, arg=second)
    with pytest.raises(AppError, match="the teacher's token"):
        client.predict(first, "a-guess", api_name="/pin_run")
    assert client.predict(first, TEACHER, api_name="/pin_run") == "shown to everyone"
    for page in (free, projector):
        page.wait_for_function(SHOWN, arg=first)
        page.wait_for_function(
            "document.querySelector('#curves .facts').innerText.includes('the teacher shows this run to everyone')"
        )
    chosen.wait_for_selector("#curves .elsewhere:not([hidden])")
    assert chosen.evaluate(SHOWN, second)
    late = visit(f"{app.url}?tab=lab", width=390, height=844, color_scheme="dark").page
    late.wait_for_function(SHOWN, arg=first)
    assert projector.locator("button:visible, input:visible, a:visible").count() == 0
    assert client.predict("", TEACHER, api_name="/pin_run") == "nothing is shown to everyone"
    third = start(client, TINY | {"seed": 2})
    projector.wait_for_function(SHOWN, arg=third)
    assert late.evaluate(SHOWN, first)
    until(client, third, "finished")


def test_a_visitor_clears_the_list_of_own_runs_by_keyboard_and_is_told_what_stays(
    app: App, visit: Callable[..., Watched]
) -> None:
    other = finished(app, TINY)
    page = open_settings(visit, app, TINY)
    own = begin(page, app)
    becomes(page, "Finished.")
    page.get_by_role("button", name="All runs").click()
    page.locator("#clear").press("Enter")
    page.wait_for_selector("#clear-yes")
    question = page.locator("#clear-question").inner_text()
    assert question.startswith("1 run will be deleted with its weights; ")
    assert "other visitors'" in question or "is another visitor's" in question
    page.locator("#clear-no").press("Enter")
    page.wait_for_selector("#clear-yes", state="hidden")
    assert (app.home / "runs" / own).exists()
    page.locator("#clear").press("Enter")
    page.locator("#clear-yes").press("Enter")
    page.wait_for_function("document.querySelector('#cleared')?.innerText.startsWith('1 run was deleted; ')")
    assert not (app.home / "runs" / own).exists()
    assert (app.home / "runs" / other).exists()
    page.wait_for_function(SHOWN, arg=other)


def test_the_teacher_shows_a_run_by_the_button_and_no_longer(app: App, client: Client, visit: Callable[..., Watched]) -> None:
    run = finished(app, TINY)
    page = visit(f"{app.url}?run={run}").page
    page.wait_for_function(SHOWN, arg=run)
    page.get_by_role("button", name="For the teacher").click()
    page.fill("#token input", TEACHER)
    page.locator("#pin").press("Enter")
    page.wait_for_function("document.querySelector('#pin').innerText === 'Stop showing it to everyone'")
    page.wait_for_function(
        "document.querySelector('#curves .facts').innerText.includes('the teacher shows this run to everyone')"
    )
    page.locator("#pin").press("Enter")
    page.wait_for_function("document.querySelector('#pin').innerText === 'Show this run to everyone'")
    page.wait_for_function("!document.querySelector('#curves .facts').innerText.includes('the teacher shows')")
