"""The app as people start it, in a process of its own, and a real Chromium that looks at it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

ROOT = Path(__file__).parents[2]
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
)  # fmt: skip
TEACHER = "the-teachers-token"
STDERR = "stderr.txt"


@dataclass(frozen=True)
class App:
    """A running app."""

    url: str
    home: Path
    process: subprocess.Popen[bytes]

    def complaints(self) -> str:
        """The end of what the app wrote to standard error."""
        return (self.home / STDERR).read_text(errors="replace")[-4000:]


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def start_app(home: Path, port: int, *options: str, script: Path = ROOT / "app.py", **around: str) -> App:
    """Start `python app.py` with these options and environment variables besides its own, and wait until it answers."""
    own = {
        "RESNET_DEMO_HOME": str(home),
        "RESNET_DEMO_TOKEN": TEACHER,
        "RESNET_DEMO_MINUTES": "300",
        "GRADIO_TEMP_DIR": str(home / "uploads"),
    }
    environment = {**os.environ, **own, "HF_HUB_OFFLINE": "1", **around}
    command = [sys.executable, str(script), "--port", str(port), *options]
    with (home / STDERR).open("ab") as errors:
        process = subprocess.Popen(command, env=environment, cwd=home, stdout=subprocess.DEVNULL, stderr=errors)
    url = f"http://127.0.0.1:{port}/"
    deadline = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return App(url, home, process)
        except OSError:
            assert process.poll() is None, f"the app ended before it answered:\n{(home / STDERR).read_text()}"
            assert time.monotonic() < deadline, "the app did not answer within two minutes"
            time.sleep(0.1)


def stop_app(app: App) -> None:
    app.process.terminate()
    app.process.wait(timeout=60)


@pytest.fixture(scope="session")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    running = start_app(tmp_path_factory.mktemp("app"), free_port())
    yield running
    stop_app(running)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("there is no Chromium here (.ci/run installs Debian's)")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield launched
        launched.close()


class Complaint(str):
    """What a page complained about, and how many pages were open by then, one after the other."""

    pages = 0


@dataclass
class Watched:
    """A page, and what it should not do: complain, or ask another host."""

    page: Page
    errors: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    pages: int = 0

    def hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.note(message.text)

    def note(self, text: str) -> None:
        complaint = Complaint(text)
        complaint.pages = self.pages
        self.errors.append(complaint)

    def arrive(self, _: Page) -> None:
        self.pages += 1

    @property
    def complaints(self) -> list[str]:
        """The errors; but a page that is left logs, through Gradio's client, each event that ends by that."""
        ended = ("AbortError", "Connection errored out")
        left = [
            error
            for error in self.errors
            if isinstance(error, Complaint) and error.pages < self.pages and any(words in error for words in ended)
        ]
        return [error for error in self.errors if error not in left]

    def see(self, request: Request) -> None:
        if not request.url.startswith(("http://127.0.0.1", "data:", "blob:")):
            self.strangers.append(request.url)


@pytest.fixture
def visit(app: App, browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Open a page in a browser of its own; at the end, none may have complained or asked another host."""
    opened: list[Watched] = []

    def open_page(url: str, width: int = 1280, height: int = 800, **options: object) -> Watched:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)  # type: ignore[arg-type]
        context.set_default_timeout(120_000)
        watched = Watched(context.new_page())
        watched.page.on("console", watched.hear)
        watched.page.on("pageerror", lambda error: watched.note(str(error)))
        watched.page.on("request", watched.see)
        watched.page.on("domcontentloaded", watched.arrive)
        watched.page.goto(url)
        opened.append(watched)
        return watched

    yield open_page
    for watched in opened:
        watched.page.context.close()
        assert watched.complaints == [], f"the app's last words:\n{app.complaints()}"
        assert watched.strangers == []
