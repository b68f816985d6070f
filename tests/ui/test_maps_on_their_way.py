"""The answer is on the screen before the maps of the earlier stages are computed, and nothing moves when they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.ui.classify_page import HEAT, PRESSED, SENTENCE
from tests.ui.conftest import ROOT, App, Watched, free_port, start_app, stop_app

pytestmark = pytest.mark.browser
PENDING = "#answer .strip .pending"
WHOLE = f"document.querySelector('#answer .card') && !document.querySelector('{PENDING}')"
BOXES = """[...document.querySelectorAll('#answer .strip button, #answer .strip .view, #answer .tools, #questions')]
  .map((node) => { const box = node.getBoundingClientRect(); return [box.x, box.y, box.width, box.height]; })"""
COUNT = """window.spoken = []; new MutationObserver(() => spoken.push(document.querySelector('#answer .spoken').textContent))
  .observe(document.querySelector('#answer .spoken'), {childList: true, characterData: true, subtree: true})"""


@pytest.fixture(scope="module")
def holding(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    home = tmp_path_factory.mktemp("holding")
    script = Path(__file__).with_name("app_with_held_maps.py")
    running = start_app(home, free_port(), script=script, PYTHONPATH=str(ROOT))
    yield running
    stop_app(running)


@pytest.fixture
def hold(holding: App) -> Iterator[Path]:
    """The file that holds the maps back until it is deleted."""
    file = holding.home / "hold"
    file.touch()
    yield file
    file.unlink(missing_ok=True)


def wait_for_draft(watched: Watched, maps: int) -> None:
    """Wait until the answer is there, without so many of its maps."""
    watched.page.wait_for_function(f"document.querySelectorAll('{PENDING}').length === {maps}")


def test_the_answer_comes_with_the_last_map_and_then_the_strip_is_completed_in_place(
    holding: App, visit: Callable[..., Watched], hold: Path
) -> None:
    seen = visit(holding.url)
    wait_for_draft(seen, 2)
    page = seen.page
    assert "takes this for" in page.locator(SENTENCE).inner_text()
    assert page.locator("#answer .cancel").is_hidden() and page.locator("#answer .waiting").count() == 0
    assert (page.locator(HEAT).count(), page.locator("#answer .strip img.heat").count()) == (1, 1)
    page.evaluate(COUNT)
    steps = page.evaluate("history.length")
    page.locator("#answer .strip button").first.focus()
    page.keyboard.press("Enter")  # a stage whose map is not there yet
    alt = page.locator("#answer .card > .view img").first
    assert (alt.get_attribute("alt") or "").endswith("The map of Stage 1 is on its way.")
    assert page.locator(HEAT).count() == 0
    before = page.evaluate(BOXES)
    hold.unlink()
    page.wait_for_function(WHOLE)
    assert page.evaluate(BOXES) == before
    assert (page.locator(HEAT).count(), page.locator("#answer .strip img.heat").count()) == (1, 3)
    assert page.locator(HEAT).get_attribute("src") == page.locator("#answer .strip img.heat").first.get_attribute("src")
    assert "looked for" in (alt.get_attribute("alt") or "") and "after Stage 1" in (alt.get_attribute("alt") or "")
    assert page.evaluate("document.activeElement.dataset.stage") == "layer1"
    assert page.evaluate("window.spoken") == []  # screen readers hear the answer once
    assert "stage=layer1" in page.url and page.evaluate("history.length") == steps


def test_the_maps_of_two_networks_come_on_a_phone_and_nothing_moves(
    holding: App, visit: Callable[..., Watched], hold: Path
) -> None:
    link = f"{holding.url}?model=plain20-cifar10&second=resnet20-cifar10&stage=layer2"
    seen = visit(link, width=390, height=844, has_touch=True, is_mobile=True)
    wait_for_draft(seen, 4)
    before = seen.page.evaluate(BOXES)
    hold.unlink()
    seen.page.wait_for_function(WHOLE)
    assert seen.page.evaluate(BOXES) == before
    assert seen.page.locator(HEAT).count() == 2
    assert seen.page.locator("#answer .strip [aria-pressed=true]").evaluate_all("b => b.map((one) => one.dataset.stage)") == [
        "layer2", "layer2",
    ]  # fmt: skip


def test_who_asks_something_else_does_not_get_the_maps_of_before(
    holding: App, visit: Callable[..., Watched], hold: Path
) -> None:
    seen = visit(f"{holding.url}?picture=cifar10-ship")
    wait_for_draft(seen, 2)
    seen.page.locator("#answer ol button").nth(1).click()
    seen.page.wait_for_function(PRESSED.format(1))
    wait_for_draft(seen, 2)
    last = seen.page.locator(HEAT).get_attribute("src")
    hold.unlink()
    seen.page.wait_for_function(WHOLE)
    assert seen.page.locator(HEAT).get_attribute("src") == last
    assert seen.page.evaluate(PRESSED.format(1))
    seen.page.go_back()
    seen.page.wait_for_function(PRESSED.format(0))
    seen.page.wait_for_function(WHOLE)
