"""What thirty watchers cost the process that serves the page: CPU, and memory over time.

    python benchmarks/watchers.py [--watchers 30] [--rate 2.5] [--seconds 30] [--json]

The app is started as people start it, in a folder that is thrown away, and trains the default preset, made longer. Each
watcher asks over HTTP, `rate` times a second, for the state and what is new, as the page in a browser does. Printed: the
share of a core that the app (without the process that trains) takes while nobody watches and with all watchers, their
difference, the 95th percentile of an answer's time, and the growth of the app's memory between the first third and the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil
from gradio_client import Client

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.running_app import p95, running_app, wait_for
from resnet_demo.lab import MOST_STEPS

ALONE = 60.0  # seconds at most in which nobody watches


async def watch(client: httpx.AsyncClient, run: str, later: float, rate: float, until: float, times: list[float]) -> None:
    """One watcher, which comes `later` and asks as widgets/curves.js does."""
    position = 0
    await asyncio.sleep(later)
    while time.monotonic() < until:
        begun = time.perf_counter()
        answer = await client.get(f"/runs/{run}", params={"position": position})
        answer.raise_for_status()
        position = answer.json()["offset"]
        times.append(time.perf_counter() - begun)
        await asyncio.sleep(1 / rate)


async def all_watch(url: str, run: str, watchers: int, rate: float, seconds: float, times: list[float]) -> None:
    """All of them, for so long."""
    until = time.monotonic() + seconds
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        # people don't open a page in the same instant
        await asyncio.gather(*(watch(client, run, n / watchers / rate, rate, until, times) for n in range(watchers)))


def measure(watchers: int, rate: float, seconds: float) -> dict[str, Any]:
    """What the watchers cost."""
    found: dict[str, Any] = {"watchers": watchers, "rate": rate}
    with tempfile.TemporaryDirectory() as home, running_app(home) as running:
        client = Client(running.url, verbose=False)
        run = client.predict({"steps": MOST_STEPS}, "a teacher", "", api_name="/start_run")
        wait_for(client, run, "running")
        app = psutil.Process(running.pid)
        for label, count, span in (("alone", 0, min(ALONE, seconds)), ("watched", watchers, seconds)):
            times: list[float] = []
            thread = threading.Thread(
                target=lambda n=count, s=span, t=times: asyncio.run(all_watch(running.url, run, n, rate, s, t))
            )
            cpu, begun = sum(app.cpu_times()[:2]), time.perf_counter()
            thread.start()
            time.sleep(span / 3)
            memory = app.memory_info().rss
            time.sleep(span * 2 / 3)
            thread.join()
            found[f"{label}_share_of_a_core"] = (sum(app.cpu_times()[:2]) - cpu) / (time.perf_counter() - begun)
        found["memory_growth_mb"] = (app.memory_info().rss - memory) / 1e6
        client.predict(run, "a teacher", "", api_name="/stop_run")
        wait_for(client, run, "stopped")
    found["watchers_share_of_a_core"] = found["watched_share_of_a_core"] - found["alone_share_of_a_core"]
    found["answers"] = len(times)
    found["p95_ms"] = 1000 * p95(times)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--watchers", type=int, default=30)
    parser.add_argument("--rate", type=float, default=2.5)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--json", action="store_true")
    parsed = parser.parse_args(arguments)
    found = measure(parsed.watchers, parsed.rate, parsed.seconds)
    if parsed.json:
        print(json.dumps(found, indent=1))
    else:
        for key, value in found.items():
            print(f"{key:28} {value:.4g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
