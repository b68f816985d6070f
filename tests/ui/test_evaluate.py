"""The Evaluate tab in a real browser: measured, compared, down to single pictures, and taken away; its endpoint's refusals."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from tests.ui.classify_page import choose, wait_for_answer
from tests.ui.conftest import App, Watched

pytestmark = pytest.mark.browser
SENTENCE = "document.querySelector('#evaluation .sentence')?.textContent"
TITLE = "document.querySelector('#pictures h3')?.textContent"
CELL = "#evaluation td[data-r='{}'][data-c='{}']"


def wait_until(watched: Watched, what: str, words: str) -> None:
    watched.page.wait_for_function(f"words => ({what} || '').includes(words)", arg=words)


def test_a_student_measures_looks_compares_and_takes_a_report_away(
    app: App, visit: Callable[..., Watched], tmp_path: Path
) -> None:
    seen = visit(app.url)
    page = seen.page
    page.get_by_role("tab", name="Evaluate").click()
    wait_until(seen, SENTENCE, "ResNet-20 (CIFAR-10) is right on 92.70")  # from what ships: nothing was asked for
    assert page.locator("#evaluation .published tr").nth(2).inner_text().startswith("arXiv 1512.03385, Table 6")
    assert page.locator("#pictures img").count() == 24

    choose(seen, "measured", "Plain-20")
    page.click("#measure")
    wait_until(seen, SENTENCE, "Plain-20 (CIFAR-10) is right on 91.80")
    assert "prints no number for this network" in page.locator("#evaluation .published-note").inner_text()
    page.locator(CELL.format(3, 5)).click()
    wait_until(seen, TITLE, "Plain-20 (CIFAR-10): cat taken for dog: 9 pictures")
    address = page.url
    assert "model=plain20-cifar10" in address and "row=3" in address and "column=5" in address
    page.locator("#pictures a").first.click()
    wait_for_answer(seen)
    assert page.locator("#answer .card h2").inner_text().startswith("Plain-20")
    assert page.locator("#answer ol .label").first.inner_text() == "dog"
    assert "tab=classify" in page.url and "picture=bundled" in page.url
    page.go_back()
    wait_until(seen, TITLE, "cat taken for dog: 9 pictures")
    assert page.url == address

    choose(seen, "measured-second", "ResNet-20")
    page.click("#measure")
    wait_until(seen, "document.querySelector('#evaluation .pair p')?.textContent", "McNemar's exact test")
    page.locator("#evaluation [data-show=second]").click()
    wait_until(seen, TITLE, "Only ResNet-20 (CIFAR-10) is right: 42 pictures")
    with page.expect_download() as download:
        page.get_by_text("report as one HTML file").click()
    report = tmp_path / "report.html"
    download.value.save_as(report)
    page.goto(report.as_uri())
    assert page.locator("h1").inner_text() == "Plain-20 (CIFAR-10) and ResNet-20 (CIFAR-10)"
    assert page.evaluate("[...document.images].every((image) => image.naturalWidth > 0)")
    seen.strangers.clear()  # the report's own address


def test_the_matrix_is_walked_by_keyboard_and_heard(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(f"{app.url}?tab=evaluate")
    page = seen.page
    page.wait_for_selector(CELL.format(0, 0))
    assert page.locator("#evaluation td[role=gridcell][tabindex='0']").count() == 1
    page.locator(CELL.format(0, 0)).focus()
    for key in ("ArrowDown", "ArrowDown", "ArrowDown", "End", "Home", *["ArrowRight"] * 5):
        page.keyboard.press(key)
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label == "cat taken for dog: 9 pictures"
    page.keyboard.press("Enter")
    wait_until(seen, TITLE, label)
    assert page.evaluate("document.activeElement.getAttribute('aria-selected')") == "true"
    page.keyboard.press("Control+Home")
    assert page.evaluate("[document.activeElement.dataset.r, document.activeElement.dataset.c]") == ["0", "0"]


def test_a_phone_in_the_dark_shows_everything_in_its_width(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(f"{app.url}?tab=evaluate&second=plain20-cifar10", width=390, height=844, color_scheme="dark", has_touch=True)
    wait_until(seen, "document.querySelector('#evaluation .pair p')?.textContent", "McNemar's exact test")
    assert seen.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_a_link_that_asks_what_is_not_there_shows_the_first_screen_and_says_so(app: App, visit: Callable[..., Watched]) -> None:
    seen = visit(f"{app.url}?tab=evaluate&model=nobody&data=/etc")
    seen.page.get_by_text("is not among the models of this app. What the link asks is left out.").wait_for()
    wait_until(seen, SENTENCE, "ResNet-20 (CIFAR-10) is right on 92.70")


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("csv?model=resnet20-cifar10", 200, "resnet20-cifar10,scores,accuracy,,0.927"),
        ("md?model=plain20-cifar10", 200, "# Plain-20 (CIFAR-10)"),
        ("exe?model=resnet20-cifar10", 404, "There is no export 'exe': say csv, json, png, md, html."),
        ("csv?data=/etc", 404, "'/etc' is not among the data of this app."),
        ("csv?model=../runs", 404, "is not among the models of this app."),
        ("csv?show=cell", 404, "a cell has a row"),
    ],
)
def test_an_export_is_a_file_or_a_sentence(app: App, query: str, status: int, words: str) -> None:
    answer = httpx.get(f"{app.url}evaluation/{query}", timeout=60)
    assert answer.status_code == status and words in answer.text


@pytest.mark.parametrize(
    ("models", "data", "words"),
    [
        (["nobody"], "bundled", "nobody"), (["resnet20-cifar10"], "/etc", "/etc"),
        ([], "bundled", "models"), (["a"] * 5, "bundled", "models"),
    ],
)  # fmt: skip
def test_the_endpoint_refuses_in_a_sentence(app: App, models: list[str], data: str, words: str) -> None:
    with pytest.raises(AppError, match=words):
        Client(app.url, verbose=False).predict(models, data, api_name="/evaluate")
