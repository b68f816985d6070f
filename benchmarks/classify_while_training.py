"""What training costs the Classify tab: the 95th percentile of an answer's time while a run trains, and without one.

    python benchmarks/classify_while_training.py [--requests 60] [--rounds 3] [--model resnet20-cifar10] [--json]

The app is started as people start it, in a folder that is thrown away. Each round asks the endpoint /classify, which
the page uses too, one request after the other: first with nothing else to do, then while a comparison of the default
preset (made longer) trains in the process that the app keeps for that. Rounds are put together; the last line is the ratio.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from gradio_client import Client, handle_file

from benchmarks.running_app import p95, running_app, wait_for
from resnet_demo.inference.examples import EXAMPLE_PICTURES

GOAL = 3.0


def answer_times(client: Client, model: str, requests: int) -> list[float]:
    """Seconds of each of so many answers about one example picture."""
    picture, times = handle_file(str(EXAMPLE_PICTURES[0].path)), []
    for _ in range(requests):
        start_time = time.perf_counter()
        client.predict(picture, model, api_name="/classify")
        times.append(time.perf_counter() - start_time)
    return times


def measure(model: str, requests: int, rounds: int) -> dict[str, Any]:
    """Both percentiles and their ratio."""
    alone: list[float] = []
    beside: list[float] = []
    with tempfile.TemporaryDirectory() as home, running_app(home) as app:
        client = Client(app.url, verbose=False)
        answer_times(client, model, 5)  # the model is loaded
        for number in range(rounds):
            alone += answer_times(client, model, requests)
            run = client.predict({"steps": 5_000, "seed": number}, "benchmark", api_name="/start_run")
            wait_for(client, run, "running")
            beside += answer_times(client, model, requests)
            client.predict(run, "benchmark", "", api_name="/stop_run")
            wait_for(client, run, "stopped")
    return {
        "model": model, "requests": len(alone), "p95_alone_ms": 1000 * p95(alone), "p95_while_training_ms": 1000 * p95(beside),
        "ratio": p95(beside) / p95(alone),
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--model", default="resnet20-cifar10")
    parser.add_argument("--json", action="store_true")
    parsed = parser.parse_args(arguments)
    report = measure(parsed.model, parsed.requests, parsed.rounds)
    if parsed.json:
        print(json.dumps(report, indent=1))
    else:
        for key in ("p95_alone_ms", "p95_while_training_ms"):
            print(f"{key:24} {report[key]:7.0f}")
        print(f"{'ratio':24} {report['ratio']:7.2f}   goal: at most {GOAL}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
