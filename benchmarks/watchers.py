"""What thirty watchers cost the process that serves the page: CPU, and memory over time.

    python benchmarks/watchers.py [--watchers 30] [--rate 2.5] [--seconds 30] [--json]

The app is started as people start it, in a folder that is thrown away. A run's record there grows as one of the default
preset does while it trains (five points a second of two networks), and each watcher asks over HTTP, `rate` times a
second, for the state and what is new, as the page in a browser does. Printed: the share of a core that the app takes
alone and with all watchers, their difference, the 95th percentile of an answer's time, and the growth of the app's
memory between the first third and the end.
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

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.running_app import p95, running_app
from resnet_demo.lab import LabSettings, comparison
from resnet_demo.training.events import Progress, RunStarted, TrainingPoint
from resnet_demo.training.record import RecordWriter

POINTS_A_SECOND = 5
ALONE = 60.0  # seconds at most in which nobody watches
RUN = "20260101-000000-aaaaaa"


def write(folder: Path, stop: threading.Event) -> None:
    """Let a record grow until told to stop."""
    config = comparison(LabSettings(steps=100_000))
    with RecordWriter(folder, config, resume=True) as record:
        record.append(RunStarted(
            time="", steps=config.steps, steps_per_epoch=62, device="", precision="fp32", threads=2, torch="", parameters={}
        ))  # fmt: skip
        step = 0
        while not stop.wait(1 / POINTS_A_SECOND):
            step += 1
            for arm in config.arms:
                record.append(TrainingPoint(step=step, arm=arm.name, loss=2.0 / step, error=0.5, learning_rate=0.1))
            record.append(Progress(step=step, images_per_second=700.0, seconds_left=60.0, memory_mb=900.0))


async def watch(client: httpx.AsyncClient, later: float, rate: float, until: float, times: list[float]) -> None:
    """One watcher, which comes `later` and asks as widgets/curves.js does."""
    position = 0
    await asyncio.sleep(later)
    while time.monotonic() < until:
        begun = time.perf_counter()
        answer = await client.get(f"/runs/{RUN}", params={"position": position})
        answer.raise_for_status()
        position = answer.json()["offset"]
        times.append(time.perf_counter() - begun)
        await asyncio.sleep(1 / rate)


async def all_watch(url: str, watchers: int, rate: float, seconds: float, times: list[float]) -> None:
    """All of them, for so long."""
    until = time.monotonic() + seconds
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        # people don't open a page in the same instant
        await asyncio.gather(*(watch(client, n / watchers / rate, rate, until, times) for n in range(watchers)))


def measure(watchers: int, rate: float, seconds: float) -> dict[str, Any]:
    """What the watchers cost."""
    found: dict[str, Any] = {"watchers": watchers, "rate": rate}
    stop = threading.Event()
    with tempfile.TemporaryDirectory() as home, running_app(home) as running:
        folder = Path(home) / "runs" / RUN
        folder.mkdir(parents=True)
        writer = threading.Thread(target=write, args=(folder, stop))
        writer.start()
        try:
            app = psutil.Process(running.pid)
            time.sleep(20)  # torch and the models load behind the open port
            for label, count, span in (("alone", 0, min(ALONE, seconds)), ("watched", watchers, seconds)):
                times: list[float] = []
                thread = threading.Thread(
                    target=lambda n=count, s=span, t=times: asyncio.run(all_watch(running.url, n, rate, s, t))
                )
                cpu, begun = sum(app.cpu_times()[:2]), time.perf_counter()
                thread.start()
                time.sleep(span / 3)
                memory = app.memory_info().rss
                time.sleep(span * 2 / 3)
                thread.join()
                found[f"{label}_share_of_a_core"] = (sum(app.cpu_times()[:2]) - cpu) / (time.perf_counter() - begun)
            found["memory_growth_mb"] = (app.memory_info().rss - memory) / 1e6
        finally:
            stop.set()
            writer.join()
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
