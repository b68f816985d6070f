"""What people hear and reach who do not see the page or use no mouse."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from tests.ui.classify_page import SENTENCE, wait_for_answer
from tests.ui.conftest import App, Watched

pytestmark = pytest.mark.browser
FOCUS = "document.activeElement.closest('[id]')?.id ?? document.activeElement.tagName"
HEADINGS = "[...document.querySelectorAll('h1, h2, h3, h4, h5, h6')].map((heading) => +heading.tagName[1])"


def heard(watched: Watched) -> list[tuple[str, str]]:
    """Role and name of everything in the accessibility tree."""
    session = watched.page.context.new_cdp_session(watched.page)
    nodes = session.send("Accessibility.getFullAXTree")["nodes"]
    return [
        (node["role"]["value"], str(node["name"].get("value", "")))
        for node in nodes
        if not node["ignored"] and "role" in node and "name" in node
    ]


def test_the_examples_have_their_names(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    seen.page.wait_for_selector("#examples [aria-label='Example: CIFAR-10: cat']")
    seen.page.locator("#examples button").nth(1).click()  # the gallery draws itself anew
    wait_for_answer(seen)
    names = [name for role, name in heard(seen) if role == "button" and name.startswith(("Example", "Thumbnail"))]
    assert len(names) == 8 == len(set(names))
    assert names[0] == "Example: CIFAR-10: cat"


def test_the_verdict_is_heard_once(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    sentence = seen.page.locator(SENTENCE).inner_text()
    assert [role for role, name in heard(seen) if sentence in name] == ["StaticText"]


@pytest.mark.parametrize("tab", ["Classify", "Lab", "Transfer", "Paper"])
def test_headings_leave_out_no_level(app: App, visit: Callable[..., Watched], tab: str) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    seen.page.get_by_role("tab", name=tab).click()
    levels = seen.page.evaluate(HEADINGS)
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels)), levels


@pytest.mark.parametrize("list_", ["model", "second", "method", "contrast"])
def test_the_focus_stays_at_a_list_after_a_choice_by_keyboard_and_the_list_is_closed(
    app: App, visit: Callable[..., Watched], list_: str
) -> None:
    seen = visit(app.url)
    wait_for_answer(seen)
    seen.page.locator(f"#{list_} input").focus()
    seen.page.wait_for_selector("[role=option]")
    seen.page.keyboard.press("ArrowDown")
    seen.page.keyboard.press("Enter")
    seen.page.wait_for_function(f"({FOCUS}) === '{list_}' && !document.querySelector('[role=option]')")
    wait_for_answer(seen)
    assert seen.page.evaluate(FOCUS) == list_
    seen.page.keyboard.press("Shift+Tab")
    assert seen.page.evaluate(FOCUS) not in (list_, "BODY")
