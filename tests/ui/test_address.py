"""The address says which tab is open and what it shows; a choice of a tab is a step in the browser's history."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from resnet_demo.ui import page
from resnet_demo.ui.address import query_for, tab_of
from tests.ui.classify_page import wait_for_answer
from tests.ui.conftest import App, Watched

SELECTED = "document.querySelector('#tabs [role=tab][aria-selected=true]')?.textContent.trim() === '{}'"


@pytest.mark.parametrize(
    ("query", "tab"),
    [
        ({}, "classify"),
        ({"model": "plain20-cifar10"}, "classify"),
        ({"run": "20260131-235959-3f9c01"}, "lab"),
        ({"settings": "{}"}, "lab"),
        ({"tab": "lab", "model": "x"}, "lab"),
        ({"tab": "classify", "run": "x"}, "classify"),
        ({"tab": "nonsense"}, "classify"),
        ({"tab": "constructor"}, "classify"),
        ({"tab": ""}, "classify"),
    ],
)
def test_an_address_opens_one_tab(query: dict[str, str], tab: str) -> None:
    assert tab_of(query, page.TABS) == tab


def test_a_tab_reads_only_an_address_that_opens_it() -> None:
    assert query_for("classify", {"model": "m"}) == {"model": "m"}
    assert query_for("classify", {"tab": "classify", "model": "m"}) == {"model": "m"}
    assert query_for("classify", {"tab": "lab", "model": "m"}) == {}
    assert query_for("lab", {"tab": "lab", "run": "r"}) == {"run": "r"}
    assert query_for("lab", {"settings": "{}"}) == {"settings": "{}"}
    assert query_for("lab", {"model": "m"}) == {}


@pytest.mark.browser
def test_each_choice_of_a_tab_is_a_step_back_and_keeps_what_both_tabs_show(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(f"{app.url}?model=plain20-cifar10")
    wait_for_answer(seen)
    seen.page.wait_for_function("location.search.includes('picture=')")
    question = seen.page.evaluate("location.search")
    seen.page.get_by_role("tab", name="Lab").click()
    seen.page.wait_for_function("new URLSearchParams(location.search).get('tab') === 'lab'")
    assert "plain20" not in seen.page.evaluate("location.search")
    seen.page.get_by_role("tab", name="Classify").click()
    seen.page.wait_for_function("search => location.search === search", arg=question)
    seen.page.go_back()
    seen.page.wait_for_function(SELECTED.format("Lab"))
    seen.page.go_back()
    seen.page.wait_for_function(SELECTED.format("Classify"))
    assert seen.page.evaluate("location.search") == question
    visit(f"{app.url}?tab=lab").page.wait_for_function(SELECTED.format("Lab"))
    nonsense = visit(f"{app.url}?tab=constructor")  # a name that every object of JavaScript has
    nonsense.page.wait_for_function("location.search.includes('picture=')")
