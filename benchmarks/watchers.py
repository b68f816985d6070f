"""What thirty watchers cost the process that serves the page: CPU, and memory over time.

    python benchmarks/watchers.py [--watchers 30] [--rate 2] [--seconds 30] [--json]

A run's record grows as one of the default preset does while it trains (five points a second), and each watcher
asks for the state and what is new, `rate` times a second, through the same function that the page's route calls
(training/feed.py), and turns the answer into JSON. The cost of HTTP is not in it. Printed: the share of a core that
all watchers take, with the writer's share measured apart, the 95th percentile of an answer's time, and the growth
of memory between the first third and the end.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))

from resnet_demo.lab import LabSettings, comparison
from resnet_demo.training.events import Progress, RunStarted, TrainingPoint
from resnet_demo.training.feed import feed
from resnet_demo.training.queue import Lab
from resnet_demo.training.record import RecordWriter

POINTS_A_SECOND = 5


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


def watch(lab: Lab, run: str, rate: float, stop: threading.Event, times: list[float]) -> None:
    """One watcher."""
    position = 0
    while not stop.wait(1 / rate):
        begun = time.perf_counter()
        answer = feed(lab, run, position)
        json.dumps(answer)
        position = answer["offset"]
        times.append(time.perf_counter() - begun)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what it cost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--watchers", type=int, default=30)
    parser.add_argument("--rate", type=float, default=2.0)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--json", action="store_true")
    parsed = parser.parse_args(arguments)
    process = psutil.Process()
    with tempfile.TemporaryDirectory() as name:
        lab = Lab(Path(name))
        run = lab.submit(comparison(LabSettings(steps=100_000)), "benchmark")
        found: dict[str, Any] = {"watchers": parsed.watchers, "rate": parsed.rate}
        for label, watchers in (("writer", 0), ("all", parsed.watchers)):
            stop, times = threading.Event(), []
            threads = [threading.Thread(target=write, args=(lab.folder / run, stop))]
            threads += [threading.Thread(target=watch, args=(lab, run, parsed.rate, stop, times)) for _ in range(watchers)]
            begun, cpu = time.perf_counter(), sum(process.cpu_times()[:2])
            for thread in threads:
                thread.start()
            time.sleep(parsed.seconds / 3)
            memory = process.memory_info().rss
            time.sleep(parsed.seconds * 2 / 3)
            stop.set()
            for thread in threads:
                thread.join()
            found[f"{label}_share_of_a_core"] = (sum(process.cpu_times()[:2]) - cpu) / (time.perf_counter() - begun)
        found["watchers_share_of_a_core"] = found["all_share_of_a_core"] - found["writer_share_of_a_core"]
        found["answers"] = len(times)
        found["p95_ms"] = 1000 * sorted(times)[int(0.95 * len(times))]
        found["memory_growth_mb"] = (process.memory_info().rss - memory) / 1e6
    if parsed.json:
        print(json.dumps(found, indent=1))
    else:
        for key, value in found.items():
            print(f"{key:28} {value:.4g}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
