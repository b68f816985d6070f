"""The lesson: its documents are what the package writes, and the page leads through it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from resnet_demo.paper.lesson import LESSONS, STEPS
from resnet_demo.ui.lesson_text import DOCS, document
from tests.ui.conftest import App, Watched


@pytest.mark.parametrize("minutes", LESSONS)
def test_the_documents_are_those_of_the_steps(minutes: int) -> None:
    assert (DOCS / f"lesson-{minutes}.md").read_text(encoding="utf-8") == document(minutes)


@pytest.mark.browser
def test_the_page_leads_from_the_first_step_to_the_last_each_with_its_tab_and_what_it_shows(
    app: App, visit: Callable[..., Watched]
) -> None:
    there = {  # what each step's tab shows, by its address
        "Plain against residual": "document.querySelector('#preset input:checked')?.value === 'One minute: depth 32'",
        "Deeper, and worse": "document.querySelector('#preset input:checked')?.value === 'Degradation: 20 against 56'",
        "Trained to the end": "/Plain-56.*ResNet-56|ResNet-56.*Plain-56/s.test(document.querySelector('#evaluation')?.innerText)",
        "Why: what one step along a line changes": "document.querySelector('#experiment .sentence')?.innerText.includes('0.08')",
        "Why: what a block is for": "document.querySelector('#inside-experiment input:checked')?.value === 'drop'",
        "Your own picture": "document.querySelectorAll('#answer .card ol button').length >= 10",
        "What the paper measured": "document.querySelectorAll('#paper table').length > 0",
    }
    page = visit(app.url).page
    page.get_by_role("link", name="A lesson").click()
    for number, step in enumerate(STEPS, 1):
        section = page.locator(f"#lesson [data-step='{number}']")
        section.wait_for()
        assert section.get_by_role("heading").inner_text() == f"{number} of {len(STEPS)}: {step.title}"
        assert page.locator("#lesson section:visible").count() == 1
        section.locator("summary").press("Enter")
        assert section.get_by_text(step.observed.text).is_visible()
        page.wait_for_function(there[step.title])
        if number < len(STEPS):
            section.get_by_role("link", name="Next step").press("Enter")
    page.get_by_role("link", name="End the lesson").click()
    page.wait_for_function("location.search === '' || !location.search.includes('lesson')")
    assert page.locator("#lesson").is_hidden()


@pytest.mark.browser
def test_a_step_fits_on_a_phone_in_the_dark_and_an_unknown_one_shows_nothing(app: App, visit: Callable[..., Watched]) -> None:
    page = visit(f"{app.url}?tab=paper&lesson=7", width=390, height=844, color_scheme="dark").page
    page.get_by_text(STEPS[6].question).wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    for step in ("99", "x", '"]<b>'):
        page.goto(f"{app.url}?tab=paper&lesson={step}")
        page.wait_for_selector("#paper table")
        assert page.locator("#lesson").is_hidden()
