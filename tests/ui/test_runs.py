"""Runs and their visitors in real browsers: the queue, pausing, and an app that is killed."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from gradio_client import Client
from playwright.sync_api import Browser

from tests.ui.conftest import TEACHER, App, Watched, free_port, start_app, stop_app
from tests.ui.laboratory import TINY, becomes, begin, open_run, open_settings, start, told_when, until

pytestmark = pytest.mark.browser
LONG = TINY | {"steps": 20_000}


def test_who_waits_sees_the_place_in_the_queue_and_about_how_long(app: App, visit: Callable[..., Watched]) -> None:
    client = Client(app.url, verbose=False)
    first = start(client, LONG, "the first")
    until(client, first, "running")
    second = open_settings(visit, app, TINY)
    begin(second, app)
    becomes(second, "Waiting")
    detail = "document.querySelector('#curves .detail')?.textContent"
    second.wait_for_function(f"/^Next in the queue, about [0-9.]+ (s|min|h) to wait\\.$/.test({detail})")
    third = visit(f"{app.url}?run={start(client, TINY, 'the third')}").page
    third.wait_for_function(f"{detail}?.startsWith('Place 2 in the queue')")
    second.click("#start")  # one waiting run a visitor
    second.get_by_text("You already have a run waiting").wait_for()
    client.predict(first, "the first", api_name="/stop_run")
    becomes(second, "Finished")
    becomes(third, "Finished")


def test_a_pause_is_seen_in_another_browser_and_what_goes_on_too(app: App, visit: Callable[..., Watched]) -> None:
    page = open_settings(visit, app, LONG)
    other = open_run(visit, app, begin(page, app), width=390, height=844)
    page.click("#pause:not([disabled])")
    becomes(other, "Paused")
    step = int(re.findall(r"At step (\d+) of 20000", other.locator("#curves .detail").inner_text())[0])
    page.click("#continue:not([disabled])")
    becomes(other, "Training")
    other.wait_for_function(
        "step => +document.querySelector('#curves .detail').textContent.match(/Step (\\d+)/)?.[1] > step", arg=step
    )
    other.click("#stop:not([disabled])")  # the other browser's visitor is a stranger here
    other.get_by_text("This is another visitor's run").wait_for()
    page.click("#stop:not([disabled])")
    becomes(other, "Stopped")


def test_stopping_a_continued_run_that_waits_is_answered_at_once_and_its_weights_follow(
    app: App, visit: Callable[..., Watched]
) -> None:
    client = Client(app.url, verbose=False)
    page = open_settings(visit, app, LONG)
    run = begin(page, app)
    told_when(client, run, lambda told: any(event["kind"] == "training" for event in told["events"]))
    page.click("#pause:not([disabled])")
    becomes(page, "Paused")
    other = start(client, LONG, "another")
    until(client, other, "running")
    page.click("#continue:not([disabled])")
    becomes(page, "Waiting")
    page.click("#stop:not([disabled])")
    becomes(page, "Stopped")
    assert "What it learned is kept" in page.locator("#curves .detail").inner_text()
    assert client.predict(other, 0, api_name="/run")["state"]["status"] == "running"
    client.predict(other, "another", api_name="/stop_run")
    page.wait_for_function("!document.querySelector('#curves .detail').textContent.includes('What it learned')")
    becomes(page, "Stopped")
    page.get_by_text("Keep a trained network").click()
    page.wait_for_function("document.querySelector('#arm input')?.value.includes('residual8')")


def test_a_run_whose_app_was_killed_is_shown_as_interrupted_and_goes_on_to_its_end(tmp_path: Path, browser: Browser) -> None:
    port = free_port()
    killed = start_app(tmp_path, port)
    client = Client(killed.url, verbose=False)
    run = start(client, TINY | {"steps": 300}, "a pupil")
    told_when(client, run, lambda told: any(event["kind"] == "checkpoint" for event in told["events"]))
    killed.process.kill()
    killed.process.wait(timeout=60)
    again = start_app(tmp_path, port)
    try:
        page = browser.new_context().new_page()
        page.set_default_timeout(60_000)
        page.goto(f"{again.url}?run={run}")
        becomes(page, "Interrupted")
        assert "The app ended while this run trained" in page.locator("#curves .detail").inner_text()
        page.get_by_text("For the teacher").click()
        page.locator("#token input").fill(TEACHER)
        page.click("#continue:not([disabled])")
        becomes(page, "Finished")
        page.wait_for_function("document.querySelector('#said').innerText.startsWith('After 300 steps')")
        events = Client(again.url, verbose=False).predict(run, 0, api_name="/run")["events"]
        assert [event["step"] > 0 for event in events if event["kind"] == "started"] == [False, True]
        page.context.close()
    finally:
        stop_app(again)
