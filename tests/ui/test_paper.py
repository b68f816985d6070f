"""The Paper tab: its HTML, and the tab in a real browser at both sizes."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from urllib.parse import parse_qsl

import pytest
from playwright.sync_api import Page

from resnet_demo.comparison import PRESETS, LabSettings, from_outside
from resnet_demo.paper.sections import SECTIONS
from resnet_demo.paper.statements import Link, Section, Statement
from resnet_demo.results.against_paper import Comparison, Line, comparisons
from resnet_demo.results.shipped import shipped_models
from resnet_demo.ui.paper_html import address, section_text, table
from tests.ui.classify_page import wait_for_answer
from tests.ui.conftest import App, Watched

LINKS = [link for section in SECTIONS for statement in section.statements for link in statement.links]


class Balance(HTMLParser):
    """Counts what is open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:  # noqa: ARG002  # the parser's signature
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.label)
def test_an_address_names_the_tab_and_holds_the_settings_that_are_promised(link: Link) -> None:
    query, _, anchor = address(link).removeprefix("?").partition("#")
    fields = dict(parse_qsl(query))
    assert anchor == link.anchor
    assert fields.pop("tab") == link.tab
    if link.tab == "lab":
        expected = PRESETS[link.preset].settings if link.preset else LabSettings(**link.settings)
        assert from_outside(fields.pop("settings")) == expected
    assert fields == dict(link.query)


def test_every_section_and_table_is_whole_html_with_captions_and_headers() -> None:
    for section in SECTIONS:
        assert not Balance(section_text(section)).open
    for comparison in comparisons(shipped_models()):
        text = table(comparison)
        assert not Balance(text).open
        assert text.count('<th scope="col">') == 4
        assert text.count('<th scope="row">') == len(comparison.lines)
        assert text.count("<caption>") == 1


def test_what_comes_from_files_is_escaped() -> None:
    evil = "<script>alert(1)</script>"
    text = table(Comparison(evil, evil, evil, evil, (Line(evil, evil, evil, evil, (evil,)),)))
    section = Section("x", evil, evil, (Statement(evil, (evil,), (Link(evil, "evaluate", {"model": evil}),)),))
    assert "<script" not in text + section_text(section)


# --- In the browser -----------------------------------------------------------------------------------


def open_paper(visit: Callable[..., Watched], app: App, **options: object) -> Page:
    page = visit(f"{app.url}?tab=paper", **options).page
    page.wait_for_selector("#figure-7 svg.plot path")
    return page


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_tab_is_drawn_without_a_click_and_does_not_scroll_sideways(
    app: App, visit: Callable[..., Watched], width: int, height: int
) -> None:
    page = open_paper(visit, app, width=width, height=height)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("#paper table caption").count() == 9 + 1  # the paper's eight, the released weights, the stages
    names = page.locator("#paper svg[role=img]").evaluate_all("all => all.map((svg) => svg.getAttribute('aria-label'))")
    assert len(names) == 2 + 2 + 2
    assert "plain-20, test: error, % " in names[2] and "8.51 at 35,100" in names[2]
    assert page.locator("#figure-6 svg.plot path").count() > 4


@pytest.mark.browser
def test_the_contents_lead_to_each_heading_and_the_stages_to_their_blocks(app: App, visit: Callable[..., Watched]) -> None:
    page = open_paper(visit, app)
    links = page.locator("#paper nav a")
    assert links.count() == len(SECTIONS)
    links.last.press("Enter")
    page.wait_for_function("document.activeElement?.id === 'paper-detection'")
    assert page.url.endswith("?tab=paper#paper-detection")
    page.reload()
    page.wait_for_function("Math.abs(document.getElementById('paper-detection')?.getBoundingClientRect().top) < innerHeight")
    plain, residual = (page.locator(f"#architecture svg.{kind}") for kind in ("plain", "residual"))
    assert "nothing is added" in str(plain.get_attribute("aria-label"))
    page.locator("#architecture select").select_option("resnet20")
    page.locator("#architecture .map button").nth(1).press("Enter")
    page.locator("#architecture .blocks button").first.press("Enter")
    assert "every second pixel, 16 channels of zeros" in str(residual.get_attribute("aria-label"))
    assert "x is 16×32×32" in str(residual.get_attribute("aria-label"))
    assert page.evaluate("document.activeElement.textContent") == "layer2, first block"
    assert "269,722 parameters" in page.locator("#architecture .totals").inner_text()


@pytest.mark.browser
def test_links_lead_to_what_they_promise(app: App, visit: Callable[..., Watched]) -> None:
    page = open_paper(visit, app)
    page.get_by_role("link", name="Train 20 and 56 layers side by side").first.click()
    page.wait_for_selector("#start:not([disabled])")
    preset = "Degradation: 20 against 56"
    page.wait_for_function("name => document.querySelector('#preset input:checked')?.value === name", arg=preset)
    watched = visit(app.url + address(next(link for link in LINKS if link.label == "Compare two models on one picture")))
    wait_for_answer(watched)
    assert watched.page.locator("#answer .card").count() == 2


@pytest.mark.browser
def test_the_numbers_of_a_figure_can_be_read_as_a_table(app: App, visit: Callable[..., Watched]) -> None:
    page = open_paper(visit, app)
    page.locator("#figure-7 summary").click()
    rows = page.locator("#figure-7 .table tbody tr")
    count = 2 * sum(len(model.responses) for model in shipped_models())  # in the order of the layers, and by size
    page.wait_for_function("count => document.querySelectorAll('#figure-7 .table tbody tr').length === count", arg=count)
    assert count >= 2 * 2 * (19 + 31 + 55)
    assert re.match(r"plain-20, In the order of the layers\s+1\s+2\.2085", rows.first.inner_text())
    assert page.locator("#figure-7 th[scope=col]").all_inner_texts() == ["line", "layer or rank", "standard deviation"]
