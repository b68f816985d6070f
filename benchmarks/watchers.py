"""What thirty watchers cost the process that serves the page: CPU, and memory over time.

    python benchmarks/watchers.py [--watchers 30] [--rate 2.5] [--seconds 30] [--steps 400] [--json]

The app is started as people start it, in a folder that is thrown away, and trains the default preset (made longer with
`--steps`, which must last until the watchers leave). Each watcher asks over HTTP, `rate` times a second, for the state
and what is new, as the page in a browser does. Printed: the share of a core that the app (without the process that
trains) takes while it has nothing to do and with all watchers, their difference, the 95th percentile of an answer's time,
and the growth of the app's memory between the first third and the end.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import httpx
import psutil
from gradio_client import Client, handle_file

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.running_app import p95, running_app, wait_for
from resnet_demo.comparison import LabSettings
from resnet_demo.inference.examples import EXAMPLE_PICTURES

SECONDS_TO_SETTLE, SECONDS_ALONE = 20.0, 30.0
Result = TypeVar("Result")


async def watch(client: httpx.AsyncClient, run: str, later: float, rate: float, until: float, times: list[float]) -> None:
    """One watcher, which comes `later` and asks as widgets/curves.js does."""
    position = 0
    await asyncio.sleep(later)
    while time.monotonic() < until:
        start_time = time.perf_counter()
        answer = await client.get(f"/runs/{run}", params={"position": position})
        answer.raise_for_status()
        position = answer.json()["offset"]
        times.append(time.perf_counter() - start_time)
        await asyncio.sleep(1 / rate)


async def all_watch(
    url: str, run: str, watchers: int, rate: float, seconds: float, app: psutil.Process
) -> tuple[list[float], float]:
    """All of them, for so long; gives the seconds of each answer, and the app's memory after a third of the time."""
    times: list[float] = []
    until = time.monotonic() + seconds
    limits = httpx.Limits(keepalive_expiry=2)  # the server closes at 5 seconds, now and then just when it is asked
    async with httpx.AsyncClient(base_url=url, timeout=30, limits=limits) as client:
        # people don't open a page in the same instant
        watching = [watch(client, run, n / watchers / rate, rate, until, times) for n in range(watchers)]
        everyone = asyncio.gather(*watching)
        await asyncio.sleep(seconds / 3)
        memory = app.memory_info().rss
        await everyone
    return times, memory


def share_of_a_core(app: psutil.Process, what: Callable[[], Result]) -> tuple[float, Result]:
    """What of a core the app takes while `what` goes on, and what that gave."""
    cpu, start_time = sum(app.cpu_times()[:2]), time.perf_counter()
    result = what()
    return (sum(app.cpu_times()[:2]) - cpu) / (time.perf_counter() - start_time), result


def measure(watchers: int, rate: float, seconds: float, steps: int) -> dict[str, Any]:
    """What the watchers cost."""
    with tempfile.TemporaryDirectory() as home, running_app(home) as running:
        client, app = Client(running.url, verbose=False), psutil.Process(running.pid)
        client.predict(handle_file(str(EXAMPLE_PICTURES[0].path)), "resnet20-cifar10", api_name="/classify")  # all is loaded
        time.sleep(SECONDS_TO_SETTLE)
        alone, _ = share_of_a_core(app, lambda: time.sleep(SECONDS_ALONE))
        run = client.predict({"steps": steps}, "benchmark", api_name="/start_run")
        wait_for(client, run, "running")
        watched, (times, memory) = share_of_a_core(
            app, lambda: asyncio.run(all_watch(running.url, run, watchers, rate, seconds, app))
        )
        growth = (app.memory_info().rss - memory) / 1e6
        answer = client.predict(run, 0, api_name="/run")
        if answer["state"]["status"] != "running":
            raise SystemExit(f"The run had {answer['state']['status']} before the watchers left: take more --steps.")
        client.predict(run, "benchmark", "", api_name="/stop_run")
        wait_for(client, run, "stopped")
    return {
        "watchers": watchers, "rate": rate, "seconds": seconds, "steps": steps, "events_a_second": len(answer["events"]) / seconds,
        "alone_share_of_a_core": alone, "watched_share_of_a_core": watched, "watchers_share_of_a_core": watched - alone,
        "memory_growth_mb": growth, "answers": len(times), "p95_ms": 1000 * p95(times),
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--watchers", type=int, default=30)
    parser.add_argument("--rate", type=float, default=2.5)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--steps", type=int, default=LabSettings().steps)
    parser.add_argument("--json", action="store_true")
    parsed = parser.parse_args(arguments)
    report = measure(parsed.watchers, parsed.rate, parsed.seconds, parsed.steps)
    if parsed.json:
        print(json.dumps(report, indent=1))
    else:
        for key, value in report.items():
            print(f"{key:28} {value:.4g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
