"""How long a visitor waits for the default comparison: seconds from the click on Start to the first point, and to the end.

    python benchmarks/first_point.py [--rounds 3] [--json]

The app is started as people start it, in a folder that is thrown away; a real Chromium opens the Lab tab, waits until the
process that trains is warm, and clicks. Both are read in the browser, where the visitor looks.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.running_app import running_app
from resnet_demo.comparison import LabSettings
from tests.ui.conftest import FLAGS

GOALS = (2.0, 90.0)
POINTS = "document.querySelectorAll('#curves svg.loss path').length >= 2"
FINISHED = "document.querySelector('#curves .what')?.textContent.startsWith('Finished')"


def visit(page: Page, url: str) -> tuple[float, float]:
    """One visitor's seconds to the first point and to the end."""
    page.goto(url)
    page.get_by_role("tab", name="Lab").click()
    page.wait_for_selector("#start:not([disabled])")
    page.wait_for_function(
        "document.querySelector('#estimate').innerText.startsWith('About')", timeout=120_000
    )  # warm and timed
    start_time = time.perf_counter()
    page.click("#start")
    page.wait_for_function(POINTS, timeout=120_000, polling=50)  # ms; its default looks at every frame, which costs a core
    first = time.perf_counter() - start_time
    page.wait_for_function(FINISHED, timeout=600_000, polling=500)
    return first, time.perf_counter() - start_time


def measure(rounds: int) -> list[tuple[float, float]]:
    """So many visitors, one after the other, each at an app that was just started."""
    report = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        for _ in range(rounds):
            with tempfile.TemporaryDirectory() as home, running_app(home) as app:
                page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
                report.append(visit(page, app.url))
                page.context.close()
        browser.close()
    return report


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parsed = parser.parse_args(arguments)
    report = measure(parsed.rounds)
    if parsed.json:
        print(json.dumps([{"first_point_seconds": first, "end_seconds": end} for first, end in report], indent=1))
        return 0
    print(f"default preset, {LabSettings().steps} steps")
    for name, goal, values in zip(("first point", "end"), GOALS, zip(*report, strict=True), strict=True):
        each = ", ".join(f"{value:.1f}" for value in values)
        print(f"{name:12} {statistics.median(values):6.1f} s in the median of {each}; goal: at most {goal:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
