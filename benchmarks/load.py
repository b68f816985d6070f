"""Thirty clients and more at one app: how long answers take, what fails, and what the app keeps afterwards.

    python benchmarks/load.py [PART ...] [--share 1.0] [--seed 0] [--json]

The app is started as people start it, in a folder that is thrown away, and is asked over loopback only. Each client is a
page of its own (cookies, connections, session) and asks the endpoint /classify in the way of the page, with pictures that
no cache can hold: every request carries another crop of a photograph. PARTs (default: all):

    thirty     30 clients back to back with Grad-CAM of ResNet-20, 40 s alone, then 40 s while a run trains
    hundred    100 clients back to back, 40 s
    requests   10,000 requests of 30 clients: the memory, threads and open files of the app before and after
    launches   100 launches of runs from one client, and from 100 clients with other cookies
    idle       200 connections that send nothing, or one byte a second, and a client that asks beside them

`--share 0.1` does a tenth of each. A refusal that is one sentence is counted apart from an error. The goals stand beside
the numbers; they hold for a machine at rest.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import io
import itertools
import json
import math
import os
import random
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
from gradio_client import Client
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.running_app import RunningApp, percentile, running_app, wait_for
from resnet_demo.inference.examples import EXAMPLE_PICTURES
from resnet_demo.training.record import Record

QUESTION = ("resnet20-cifar10", "", "", -1, -1, "grad-cam", 5)
SECONDS, WARM_UP = 40.0, 60
LAUNCHES, IDLE = 100, 200
LONG_RUN = {"steps": 50_000}
SECONDS_TO_GIVE_UP = 120.0
REFUSALS = (400, 413, 421, 429, 503, 507)
GOALS = {
    "thirty": {"p95_s": 1.0, "errors": 0},
    "thirty while a run trains": {"p95_s": 3.0, "errors": 0},
    "hundred": {"errors": 0},
    "requests": {"memory_growth_mb": 100.0, "thread_growth": 0, "file_growth": 0, "errors": 0},
    "idle": {"errors": 0},
}
"""The most that each may come to."""


@dataclass
class Tally:
    """What the answers of one part came to: their seconds, the sentences of refusals, and errors of any other kind."""

    seconds: list[float] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def numbers(self, wall_seconds: float) -> dict[str, Any]:
        """The figures to print."""
        shares = {f"p{share}_s": percentile(self.seconds, share / 100) for share in (50, 95, 99)} if self.seconds else {}
        rate = len(self.seconds) / wall_seconds
        return {"answers": len(self.seconds), **shares, "answers_a_second": rate, **self.failures()}

    @contextmanager
    def timed(self) -> Iterator[None]:
        """Count what the block comes to."""
        start_time = time.perf_counter()
        try:
            yield
        except Refusal as refusal:
            self.refusals.append(str(refusal))
        except (httpx.HTTPError, ValueError) as error:
            self.errors.append(f"{type(error).__name__}: {error}")
        else:
            self.seconds.append(time.perf_counter() - start_time)

    def failures(self) -> dict[str, Any]:
        """How many refusals and errors there were, and the commonest of each."""
        return {
            "refusals": len(self.refusals), "errors": len(self.errors),
            "sentences": sorted(set(self.refusals))[:3] + sorted(set(self.errors))[:3],
        }  # fmt: skip


class Refusal(Exception):
    """The app said no in a sentence."""


def pictures(seed: int) -> Iterator[str]:
    """Photographs as data: URLs, each another crop, so that none is the same as an earlier one."""
    draw = random.Random(seed)
    sources = [Image.open(example.path).convert("RGB") for example in EXAMPLE_PICTURES if example.path.suffix == ".jpg"]
    while True:
        source = draw.choice(sources)
        side = draw.randrange(min(source.size) // 2, min(source.size))
        left, top = draw.randrange(source.width - side), draw.randrange(source.height - side)
        file = io.BytesIO()
        source.crop((left, top, left + side, top + side)).save(file, "JPEG", quality=draw.randrange(80, 95))
        yield f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def prepared(seed: int, count: int = 400) -> Iterator[str]:
    """So many pictures made beforehand, so that making them takes nothing from the app; later ones differ by a comment."""
    made = list(itertools.islice(pictures(seed), count))
    for number in itertools.count():
        if number < count:
            yield made[number]
        else:  # bytes after the end of a JPEG are another file and the same picture
            header, _, content = made[number % count].partition(",")
            yield f"{header},{base64.b64encode(base64.b64decode(content) + str(number).encode()).decode()}"


class Visitor:
    """One page: cookies, connections and a session of its own, which asks as the page in a browser does."""

    def __init__(self, client: httpx.AsyncClient, endpoints: dict[str, int]) -> None:
        self._client = client
        self._endpoints = endpoints
        self._session = secrets.token_hex(6)

    async def call(self, endpoint: str, *data: object) -> str:
        """The answer of an endpoint, as JSON text.

        Raises:
            Refusal: the app answered with a sentence.
            httpx.HTTPError: anything else that went wrong.
        """
        event = {"data": data, "fn_index": self._endpoints[endpoint], "session_hash": self._session}
        joined = await self._client.post("/gradio_api/queue/join", json=event)
        if joined.status_code in REFUSALS:
            raise Refusal(joined.text[:200])
        joined.raise_for_status()
        completed = ""
        async with self._client.stream("GET", "/gradio_api/queue/data", params={"session_hash": self._session}) as messages:
            messages.raise_for_status()
            async for line in messages.aiter_lines():
                if "process_completed" in line[:40]:
                    completed = line.removeprefix("data:")
        if '"success":true' in completed:
            return completed
        output = json.loads(completed or "{}").get("output") or {}
        if output.get("error"):
            raise Refusal(str(output["error"])[:200])
        raise httpx.RemoteProtocolError(f"The stream ended without an answer or a sentence: {completed[:200]!r}")


@asynccontextmanager
async def a_visitor(url: str) -> AsyncIterator[Visitor]:
    """Open the page as a new visitor, with whatever cookies it gives."""
    limits = httpx.Limits(max_connections=4, keepalive_expiry=2)  # the server closes at 5 seconds
    async with httpx.AsyncClient(base_url=url, timeout=SECONDS_TO_GIVE_UP, limits=limits) as client:
        (await client.get("/")).raise_for_status()
        config = (await client.get("/config")).raise_for_status().json()
        yield Visitor(client, {event["api_name"]: event["id"] for event in config["dependencies"] if event["api_name"]})


async def classify(visitor: Visitor, picture: str, tally: Tally) -> None:
    """One picture and its maps; what came of it is put into the tally."""
    with tally.timed():
        answer = await visitor.call("classify", {"url": picture, "meta": {"_type": "gradio.FileData"}}, *QUESTION)
        if answer.count('"heat":') != 3:
            raise httpx.DecodingError(f"An answer without a map of each stage: {answer[:200]}")


async def back_to_back(app: RunningApp, clients: int, seed: int, seconds: float, requests: int = sys.maxsize) -> dict[str, Any]:
    """So many clients, each asking as soon as it has its answer, for so long or until there were so many requests."""
    tally, source, left = Tally(), prepared(seed), itertools.count()
    until = time.monotonic() + seconds

    async def ask() -> None:
        async with a_visitor(app.url) as visitor:
            while time.monotonic() < until and next(left) < requests:
                await classify(visitor, next(source), tally)

    start_time, cpu = time.perf_counter(), seconds_of_cpu(app)
    await asyncio.gather(*(ask() for _ in range(clients)))
    report = tally.numbers(time.perf_counter() - start_time)
    cost = 1000 * (seconds_of_cpu(app) - cpu) / max(len(tally.seconds), 1)
    return {"clients": clients, **report, "app_cpu_ms_an_answer": cost, "load_average": os.getloadavg()[0]}


def seconds_of_cpu(app: RunningApp) -> float:
    """The processor time of the app so far, without the process that trains."""
    return float(sum(psutil.Process(app.pid).cpu_times()[:2]))


async def thirty(app: RunningApp, share: float, seed: int) -> dict[str, dict[str, Any]]:
    """30 clients, alone and beside a run."""
    alone = await back_to_back(app, 30, seed, SECONDS * share)
    client = await asyncio.to_thread(Client, app.url, verbose=False)
    run = await asyncio.to_thread(client.predict, LONG_RUN, "load", api_name="/start_run")
    await asyncio.to_thread(wait_for, client, run, "running")
    beside = await back_to_back(app, 30, seed + 1, SECONDS * share)
    await asyncio.to_thread(client.predict, run, "load", "", api_name="/stop_run")
    await asyncio.to_thread(wait_for, client, run, "stopped")
    return {"thirty": alone, "thirty while a run trains": beside}


async def hundred(app: RunningApp, share: float, seed: int) -> dict[str, dict[str, Any]]:
    """100 clients."""
    return {"hundred": await back_to_back(app, 100, seed + 2, SECONDS * share)}


async def requests(app: RunningApp, share: float, seed: int) -> dict[str, dict[str, Any]]:
    """10,000 requests, after a tenth of them: until then memory grows to what so many at once need."""
    count, process = round(10_000 * share), psutil.Process(app.pid)
    warm = await back_to_back(app, 30, seed + 3, 1_800, count // 10)
    before = await resources(process)
    report = await back_to_back(app, 30, seed + 4, 1_800, count)
    after = await resources(process)
    growth = {f"{what}_growth": after[what] - before[what] for what in ("thread", "file")}
    return {
        "requests": {
            **report, "warm_up_answers": warm["answers"], "memory_mb_before": before["memory_mb"],
            "memory_growth_mb": after["memory_mb"] - before["memory_mb"], **growth,
        }
    }  # fmt: skip


async def resources(process: psutil.Process) -> dict[str, float]:
    """The memory, threads and open files (connections too) of the app, once its connections are closed."""
    await asyncio.sleep(8)  # the server closes idle connections after 5 seconds
    return {"memory_mb": process.memory_info().rss / 1e6, "thread": process.num_threads(), "file": process.num_fds()}


async def launches(app: RunningApp, share: float, _: int) -> dict[str, dict[str, Any]]:
    """100 launches from one client, then one each from 100 clients; the runs go with the app's folder."""
    count = round(LAUNCHES * share)
    report = {}
    for title, clients in (("launches from one client", 1), ("launches from 100 cookies", count)):
        tally = Tally()
        await asyncio.gather(*(launch(app.url, f"{title} {number}", count // clients, tally) for number in range(clients)))
        report[title] = {"accepted": len(tally.seconds), **await asyncio.to_thread(run_statuses, app.home), **tally.failures()}
    return report


async def launch(url: str, word: str, times: int, tally: Tally) -> None:
    """Start so many runs as one visitor."""
    async with a_visitor(url) as visitor:
        for _ in range(times):
            with tally.timed():
                await visitor.call("start_run", LONG_RUN, word, "")


def run_statuses(home: Path) -> dict[str, int]:
    """How many runs there are on the disk, how many of them train, and how many wait, once the first one trains."""
    until = time.monotonic() + SECONDS_TO_GIVE_UP
    records = [Record(path) for path in (home / "runs").iterdir() if (path / "config.json").exists()]
    while not (training := sum(record.is_locked() for record in records)) and time.monotonic() < until:
        time.sleep(0.1)
    waiting = json.loads((home / "runs" / "queue.json").read_text())
    return {"runs": len(records), "train": training, "wait": len(waiting)}


async def idle(app: RunningApp, share: float, seed: int) -> dict[str, dict[str, Any]]:
    """Connections that send nothing, and as many that send a request a byte at a time, while one client asks."""
    count = round(IDLE * share)
    host, port = app.url.removeprefix("http://").rstrip("/").split(":")
    opened = [await asyncio.open_connection(host, int(port)) for _ in range(count)]

    async def drip(writer: asyncio.StreamWriter) -> None:
        try:
            for byte in b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: " + b"x" * 3_600:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(1)
        except ConnectionError:
            pass  # the server had enough of it

    dripping = [asyncio.create_task(drip(writer)) for _, writer in opened[::2]]
    report = await back_to_back(app, 1, seed + 5, 20 * share)
    still = [reader for reader, _ in opened if not reader.at_eof()]
    for task in dripping:
        task.cancel()
    for _, writer in opened:
        writer.close()
    return {"idle": {"idle_connections": count, "open_at_the_end": len(still), **report}}


PARTS = {part.__name__: part for part in (thirty, hundred, requests, launches, idle)}


def measure(part: str, share: float, seed: int) -> dict[str, dict[str, Any]]:
    """One part, at an app of its own."""
    with tempfile.TemporaryDirectory() as home, running_app(home) as app:
        asyncio.run(back_to_back(app, 4, seed + 6, 300, WARM_UP))  # all is loaded
        return asyncio.run(PARTS[part](app, share, seed))


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was measured; 0 if no goal was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}; all by default")
    parser.add_argument("--share", type=float, default=1.0, help="of the seconds, requests, launches and connections")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parsed = parser.parse_args(arguments)
    if unknown := [part for part in parsed.parts if part not in PARTS]:
        parser.error(f"there is no part {unknown[0]!r}: say {', '.join(PARTS)}")
    report: dict[str, dict[str, Any]] = {}
    missed = []
    for part in parsed.parts or PARTS:
        for title, numbers in measure(part, parsed.share, parsed.seed).items():
            report[title] = numbers
            missed += [
                f"{title}: {what} over {goal}"
                for what, goal in GOALS.get(title, {}).items()
                if numbers.get(what, math.inf) > goal
            ]
            if not parsed.json:
                print(f"{title}: {', '.join(f'{key} {shown(value)}' for key, value in numbers.items())}", flush=True)
    if parsed.json:
        print(json.dumps({"missed": missed, **report}, indent=1))
    for sentence in missed:
        print(f"missed: {sentence}", file=sys.stderr)
    return 1 if missed else 0


def shown(value: Any) -> str:
    """A value in a line of text."""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
