"""Two visitors predict a run, by keyboard and on a dark phone, and hear who was right."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from gradio_client import Client

from tests.ui.conftest import TEACHER, App, Watched
from tests.ui.laboratory import TINY, open_run, start, told_when

pytestmark = pytest.mark.browser
TALLY = "document.querySelector('#curves .prediction .tally')?.textContent"


def test_two_visitors_predict_a_run_and_hear_who_was_right(app: App, visit: Callable[..., Watched]) -> None:
    client = Client(app.url, verbose=False)
    run = start(client, TINY | {"steps": 20_000})
    first = open_run(visit, app, run)
    second = open_run(visit, app, run, width=390, height=844, color_scheme="dark", has_touch=True)
    first.focus("#curves .prediction input[value=plain]")
    first.keyboard.press("Space")
    first.wait_for_function(f"{TALLY}?.startsWith('You said: plain-8.')")
    assert "You said: plain-8." in first.locator("#curves .spoken").inner_text()
    second.wait_for_function(f"{TALLY} === '1 visitor has predicted already.'")
    second.tap("#curves .prediction label:has(input[value=residual])")
    second.wait_for_function(f"{TALLY}?.startsWith('You said: residual-8. All predictions so far: 1 plain-8, 1 residual-8')")
    first.wait_for_function(f"{TALLY}?.includes('1 plain-8, 1 residual-8, 0 no clear difference')")
    assert first.evaluate("document.activeElement.value") == "plain"
    first.keyboard.press("ArrowDown")
    first.wait_for_function(f"{TALLY}?.startsWith('You said: residual-8.')")
    assert first.evaluate("document.activeElement.value") == "residual"
    for page, width in ((first, 1280), (second, 390)):
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    told_when(client, run, lambda told: told["state"]["step"] >= 100)
    client.predict(run, "a class", TEACHER, api_name="/stop_run")
    right = told_when(client, run, lambda told: told["state"]["status"] == "stopped")
    assert right["state"]["step"] >= 100
    for page in (first, second):
        page.wait_for_function(f"/right\\.$/.test({TALLY})")
        sentence = page.evaluate(TALLY)
        assert sentence in {
            "It is residual-8: you were right. 2 of 2 predictions were right.",
            "It is plain-8; you said residual-8. 0 of 2 predictions were right.",
            "There is no clear difference; you said residual-8. 0 of 2 predictions were right.",
        }
        assert page.locator("#curves .prediction .options").is_hidden()
