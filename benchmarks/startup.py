"""From the start of the process to the first answered request, against a bare Gradio app: `python benchmarks/startup.py`.

Two apps are started in turn, each in a process of its own, so that whatever else the machine does meets both: this project's
`app.py`, and a Gradio app of one line which imports nothing but gradio. The clock runs until `/` answers with status 200;
this app then still loads PyTorch behind the open port. The first round warms the disk's cache and does not count. The last
line is the goal.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
GOAL = 1.5
BARE = 'import gradio; gradio.Interface(str, "text", "text").launch(server_port={port}, ssr_mode=False, quiet=True)'
LONGEST = 120.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def seconds_to_the_first_answer(command: list[str], port: int, home: str) -> float:
    """Start the app, ask until it answers, and end it."""
    environment = {**os.environ, "RESNET_DEMO_HOME": home, "GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_OFFLINE": "1"}
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    try:
        while time.perf_counter() - start < LONGEST:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as answer:
                    if answer.status == 200:
                        return time.perf_counter() - start
            except OSError:
                if process.poll() is not None:
                    raise SystemExit(f"{command[-1]} ended: {process.stderr.read().decode()[-2000:]}") from None  # type: ignore[union-attr]
                time.sleep(0.01)
        raise SystemExit(f"{command} did not answer within {LONGEST:.0f} s")
    finally:
        process.terminate()
        process.communicate()


def main() -> None:
    """Start both apps in turn and print the medians and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parsed = parser.parse_args()
    seconds: dict[str, list[float]] = {"gradio alone": [], "this project: app.py": []}
    with tempfile.TemporaryDirectory() as home:
        for number in range(parsed.rounds + 1):
            for name, measured in seconds.items():
                port = free_port()
                bare = [sys.executable, "-c", BARE.format(port=port)]
                ours = [sys.executable, "app.py", "--port", str(port)]
                took = seconds_to_the_first_answer(bare if name == "gradio alone" else ours, port, home)
                if number:
                    measured.append(took)
    base = seconds["gradio alone"]
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} processors, {parsed.rounds} rounds, medians of wall time")
    for name, measured in seconds.items():
        ratio = statistics.median(one / other for one, other in zip(measured, base, strict=True))
        print(f"{name:36} {statistics.median(measured):8.2f} s   {ratio:5.2f} ×")
    print(f"goal: at most {GOAL} ×; {'reached' if ratio <= GOAL else 'missed'}")


if __name__ == "__main__":
    main()
