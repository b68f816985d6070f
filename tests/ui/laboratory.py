"""What the tests of the Lab tab share: runs that take a second, and what the page shows of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from gradio_client import Client
from playwright.sync_api import Page

from resnet_demo.zoo.catalogue import RECORDED
from tests.ui.conftest import TEACHER, App, Watched

TINY = {"depth": 8, "width": 4, "image_size": 16, "steps": 30, "batch": 16, "warmup": 2, "precision": "fp32"}
# Without batch normalization and at this learning rate the residual network's loss is not finite after a few steps,
# the plain one's is.
DIVERGING = TINY | {"depth": 20, "steps": 24, "warmup": 0, "batch_norm": False, "learning_rate": 1.0, "schedule": "constant"}
WHAT = "document.querySelector('#curves .what')?.textContent"


def start(client: Client, settings: dict[str, Any], visitor: str = "a class") -> str:
    """Start a run over the API; gives its id."""
    return str(client.predict(settings, visitor, TEACHER, api_name="/start_run"))


def told_when(client: Client, run: str, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """What `/run` tells as soon as the condition holds for it: the one place of these tests that asks again and again."""
    deadline = time.monotonic() + 240
    while not condition(told := client.predict(run, 0, api_name="/run")):
        assert time.monotonic() < deadline, f"the run is {told['state']}"
        time.sleep(0.1)  # the run needs the processor between two questions
    return dict(told)


def until(client: Client, run: str, status: str) -> dict[str, Any]:
    """Wait for a run's status; gives what `/run` then tells."""
    return told_when(client, run, lambda told: told["state"]["status"] == status)


def finished(app: App, settings: dict[str, Any]) -> str:
    """The id of a run that was trained to its end."""
    client = Client(app.url, verbose=False)
    run = start(client, settings)
    until(client, run, "finished")
    return run


def open_run(visit: Callable[..., Watched], app: App, run: str, **options: Any) -> Page:
    """The page at a run's link, once its curves are there."""
    page = visit(f"{app.url}?run={run}", **options).page
    page.wait_for_function("document.querySelectorAll('#curves svg.loss path').length >= 2")
    return page


def open_settings(visit: Callable[..., Watched], app: App, settings: dict[str, Any], **options: Any) -> Page:
    """The page at a link that carries settings, once it has told what they cost."""
    page = visit(f"{app.url}?settings={quote(json.dumps(settings))}", **options).page
    page.wait_for_selector("#start:not([disabled])")
    page.wait_for_function(
        "words => document.querySelector('#estimate')?.innerText.includes(words)", arg=f": {settings['steps']:,} steps"
    )
    return page


def begin(page: Page, app: App, button: str = "start") -> str:
    """Press a button that starts a run; gives the run's id once the page shows it: before, it may show an older one."""
    older = [folder.name for folder in [*(app.home / "runs").iterdir(), *RECORDED.iterdir()]]
    page.click(f"#{button}:not([disabled])")
    shown = page.wait_for_function(
        "older => { const run = new URL(location).searchParams.get('run'); return !older.includes(run) && run; }", arg=older
    )
    return str(shown.json_value())


def becomes(page: Page, word: str) -> None:
    """Wait until the page says that the run is waiting, paused, finished …"""
    page.wait_for_function(f"word => {WHAT}?.startsWith(word)", arg=word)


def heights(page: Page, figure: str, index: int) -> list[float]:
    """The y of every point of the `index`-th line of a figure, in pixels from its top."""
    path = page.locator(f"#curves svg.{figure} path[fill=none]").nth(index).get_attribute("d") or ""
    return [float(pair.split(",")[1]) for pair in path.replace("M", "L").split("L")[1:]]
