"""The Classify tab as a person uses it: what the tests of the page have in common."""

from __future__ import annotations

from pathlib import Path

from tests.ui.conftest import Watched

SENTENCE = "#answer .sentence"
FIRST_LABEL = "#answer ol button .label"
HEAT = "#answer .card > .view img.heat"
PRESSED = "document.querySelectorAll('#answer ol button')[{}]?.getAttribute('aria-pressed') === 'true'"
SEEN_CHANGED = "before => (document.querySelector('#answer .seen img')?.src ?? before) !== before"


def wait_for_answer(watched: Watched) -> None:
    """Wait until an answer is there and none is on its way."""
    watched.page.wait_for_selector(FIRST_LABEL)
    watched.page.wait_for_function("!document.querySelector('#answer .waiting')")


def seen_by_the_network(watched: Watched) -> str:
    return watched.page.locator("#answer .seen img").get_attribute("src") or ""


def wait_for_another_picture(watched: Watched, before: str) -> None:
    watched.page.wait_for_function(SEEN_CHANGED, arg=before)


def clear(watched: Watched) -> None:
    """Take the picture away and wait until the answer is gone, too."""
    watched.page.locator("#picture button[aria-label='Clear'], #picture button[aria-label='Remove Image']").first.click()
    watched.page.wait_for_selector("#answer .ghost")


def upload(watched: Watched, file: Path) -> None:
    watched.page.locator("#picture input[type=file]").first.set_input_files(str(file))


def choose(watched: Watched, dropdown: str, option: str) -> None:
    """Choose in the dropdown with that id."""
    watched.page.locator(f"#{dropdown} input").click()
    watched.page.get_by_role("option").filter(has_text=option).first.click()
