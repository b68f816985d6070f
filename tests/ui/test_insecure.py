"""The page as a classroom opens it: by the machine's name over plain http, where browsers lend neither camera nor clipboard."""

from __future__ import annotations

import base64
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from tests.ui.classify_page import FIRST_LABEL
from tests.ui.conftest import FLAGS, App
from tests.ui.test_pictures import TRANSFER

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def classroom(app: App, browser: Browser) -> Iterator[Page]:
    name = socket.gethostname()
    flags = [*FLAGS, f"--host-resolver-rules=MAP {name} 127.0.0.1", "--no-proxy-server"]
    another = browser.browser_type.launch(executable_path=shutil.which("chromium"), args=flags)
    page = another.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(120_000)
    page.goto(app.url.replace("127.0.0.1", name))
    page.wait_for_selector(FIRST_LABEL)
    yield page
    another.close()


def test_camera_and_paste_are_no_buttons_and_a_sentence_says_what_to_do(classroom: Page) -> None:
    assert classroom.evaluate("window.isSecureContext") is False
    for name in ("Capture from camera", "Paste from clipboard"):
        button = classroom.locator(f"#picture button[aria-label='{name}']")
        assert button.count() == 1 and not button.is_visible()
    assert classroom.locator("#picture button[aria-label='Upload file']").is_visible()
    assert "Ctrl+V pastes a picture" in classroom.locator("#no-camera").inner_text()


def test_a_picture_that_is_pasted_onto_the_page_is_taken_all_the_same(classroom: Page, tmp_path: Path) -> None:
    Image.effect_noise((90, 60), 80).convert("RGB").save(tmp_path / "own.png")
    content = base64.b64encode((tmp_path / "own.png").read_bytes()).decode()
    classroom.evaluate(TRANSFER, ["body", "paste", content])
    classroom.wait_for_function("location.search.includes('picture=own')")
    expect(classroom.locator("#picture img")).to_have_count(1)
