"""Visitors at the running app: an identity that the server gives, and what a run's owner, the others and the teacher may do."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import Page

from resnet_demo.runs.queue import LONGEST_QUEUE
from resnet_demo.runs.queue_limits import WAITING_OF_ADDRESS
from tests.ui.conftest import ROOT, TEACHER, App, Watched, free_port, start_app, stop_app
from tests.ui.laboratory import TINY, becomes, begin, open_settings, start, until

LONG = TINY | {"steps": 20_000}


def call(url: str, endpoint: str, *values: Any, cookies: dict[str, str] | None = None, **headers: str) -> tuple[str, str]:
    """What a script of plain HTTP is answered: 'complete' or 'error', and the data. It keeps no cookie by itself."""
    address = f"{url}gradio_api/call/{endpoint}"
    around: dict[str, Any] = {
        "headers": {**headers, "Cookie": "; ".join(f"{n}={v}" for n, v in (cookies or {}).items())},
        "timeout": 60,
        "verify": False,  # reading certificates takes longer than the call
    }
    posted = httpx.post(address, json={"data": values}, **around).raise_for_status()
    answer = httpx.get(f"{address}/{posted.json()['event_id']}", **around).text
    event, data = answer.strip().split("\n\n")[-1].split("\n", 1)
    return event.removeprefix("event: "), data.removeprefix("data: ")


def cookies_of(page: Page) -> list[dict[str, Any]]:
    return [dict(cookie) for cookie in page.context.cookies() if cookie["name"].startswith("resnet-lab-")]


@pytest.mark.browser
def test_a_reload_keeps_the_visitor_and_another_browser_is_another_one(app: App, visit: Callable[..., Watched]) -> None:
    page = open_settings(visit, app, LONG)
    (cookie,) = cookies_of(page)
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Lax", "/")
    assert cookie["value"] not in page.evaluate("document.cookie + JSON.stringify(localStorage)")
    run = begin(page, app)
    other = visit(f"{app.url}?run={run}").page
    other.click("#stop:not([disabled])")
    other.get_by_text("This is another visitor's run").wait_for()
    page.reload()
    page.click("#stop:not([disabled])")
    becomes(page, "Stopped")
    assert cookies_of(page) == [cookie]
    assert cookies_of(other)[0]["value"] != cookie["value"]


@pytest.mark.browser
def test_the_teacher_stops_and_deletes_any_run_and_the_token_is_in_no_address_log_or_record(
    app: App, visit: Callable[..., Watched]
) -> None:
    run = start(Client(app.url, verbose=False), LONG, "a pupil")
    watched = visit(f"{app.url}?run={run}")
    page, addresses = watched.page, [app.url]
    page.on("request", lambda request: addresses.append(request.url))
    page.get_by_text("For the teacher").click()
    page.locator("#token input").fill("not the token")
    page.click("#stop:not([disabled])")
    page.get_by_text("This token is not the teacher's").wait_for()
    page.locator("#token input").fill(TEACHER)
    page.click("#stop:not([disabled])")
    becomes(page, "Stopped")
    page.click("#delete")
    page.wait_for_function("run => new URL(location).searchParams.get('run') !== run", arg=run)
    assert not (app.home / "runs" / run).exists()
    watched.errors[:] = [error for error in watched.errors if "404" not in error]  # the curves may have asked for it meanwhile
    assert len(addresses) > 1
    assert not [address for address in [*addresses, page.url] if TEACHER in address]
    again = start(Client(app.url, verbose=False), TINY, "a pupil")
    until(Client(app.url, verbose=False), again, "finished")
    files = [file for file in app.home.rglob("*") if file.is_file()]
    assert any(file.name == "ticket.json" for file in files)
    assert not [file for file in files if TEACHER.encode() in file.read_bytes()]


@pytest.mark.parametrize("word", ["", "a word of mine"])
def test_a_script_stops_with_its_own_client_what_it_started(app: App, word: str) -> None:
    client, stranger = Client(app.url, verbose=False), Client(app.url, verbose=False)
    run = client.predict(TINY | {"steps": 2000}, word, api_name="/start_run")
    for other, guess in ((stranger, word), (stranger, "another word"), (client, "another word")):
        with pytest.raises(AppError, match="This is another visitor's run"):
            other.predict(run, guess, api_name="/stop_run")
    assert stranger.predict(api_name="/stop_run") == "nothing to stop"
    assert client.predict(visitor=word, api_name="/stop_run") == "stopping"
    until(client, run, "stopped")
    assert client.predict(run, word, api_name="/delete_run") == "deleted"


def test_a_call_without_a_cookie_starts_a_run_only_with_the_teachers_token(app: App) -> None:
    ((name, value),) = Client(app.url, verbose=False).cookies.items()
    for cookies in ({}, {name: "me." + value.partition(".")[2]}, {"resnet-lab-visitor": "me"}):
        event, data = call(app.url, "start_run", TINY, "my word", "", cookies=cookies)
        assert (event, "This request brought no cookie of this app" in data) == ("error", True), data
    event, data = call(app.url, "start_run", LONG, "my word", TEACHER)
    assert event == "complete", data
    (run,) = json.loads(data)
    assert call(app.url, "stop_run", run, "my word", "")[0] == "error"
    assert call(app.url, "stop_run", run, "my word", TEACHER) == ("complete", '["stopping"]')
    until(Client(app.url, verbose=False), run, "stopped")


@pytest.fixture
def idle(tmp_path: Path) -> Iterator[App]:
    """An app whose first run trains for ever."""
    script = Path(__file__).with_name("app_without_training.py")
    running = start_app(tmp_path, free_port(), script=script, PYTHONPATH=str(ROOT))
    yield running
    stop_app(running)


def statuses(app: App) -> Counter[str]:
    """How many runs of an app have which status."""
    runs = [folder.name for folder in (app.home / "runs").iterdir() if folder.is_dir()]
    return Counter(httpx.get(f"{app.url}runs/{run}", verify=False).json()["state"]["status"] for run in runs)


def test_of_a_hundred_launches_one_trains_the_queue_is_bounded_and_the_rest_get_a_sentence(idle: App) -> None:
    url = idle.url
    mine = Client(url, verbose=False).cookies

    def refusals(callers: list[dict[str, str]], **headers: str) -> list[str]:
        """The sentences that these callers get who cannot start a run, each with a word of its own."""
        with ThreadPoolExecutor(8) as threads:
            launches = [
                threads.submit(call, url, "start_run", TINY, f"word {number}", "", cookies=cookies, **headers)
                for number, cookies in enumerate(callers)
            ]
            return [data for event, data in (launch.result() for launch in launches) if event == "error"]

    from_one = refusals([mine] * 100)
    assert statuses(idle) == {"running": 1, "waiting": 1}
    assert len(from_one) == 98
    assert all("You already have a run waiting: stop it first" in sentence for sentence in from_one)

    from_many = refusals([dict(httpx.get(f"{url}runs/none", verify=False).cookies) for _ in range(100)])
    assert len(from_many) == 100 - (WAITING_OF_ADDRESS - 1)
    assert all("runs from your network address are waiting already" in sentence for sentence in from_many)

    from_elsewhere = refusals(
        [dict(httpx.get(f"{url}runs/none", verify=False).cookies) for _ in range(15)], **{"X-Forwarded-For": "203.0.113.7"}
    )
    assert len(from_elsewhere) == 15 - (LONGEST_QUEUE - WAITING_OF_ADDRESS)
    assert all("40 runs are waiting already: try again" in sentence for sentence in from_elsewhere)
    assert statuses(idle) == {"running": 1, "waiting": LONGEST_QUEUE}

    run = json.loads((idle.home / "runs" / "queue.json").read_text())[0]
    for endpoint in ("stop_run", "delete_run"):  # the teacher makes room
        assert call(url, endpoint, run, "", TEACHER)[0] == "complete"
    assert statuses(idle) == {"running": 1, "waiting": LONGEST_QUEUE - 1}
