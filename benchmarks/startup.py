"""From the start of the process to the first page it answers with, against a bare Gradio app: `python benchmarks/startup.py`.

Two apps are started in turn, each in a process of its own, so that whatever else the machine does meets both: this project's
`app.py`, and a Gradio app of one line which imports nothing but gradio. The clock runs until `/` answers with status 200;
this app then still loads PyTorch behind the open port. The first round warms the disk's cache and does not count. The last
line is the goal.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.running_app import running_app

GOAL = 1.5
BASE = "gradio alone"
BARE = 'import gradio; gradio.Interface(str, "text", "text").launch(server_port={port}, ssr_mode=False, quiet=True)'


def main() -> None:
    """Start both apps in turn and print the medians and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parsed = parser.parse_args()
    seconds: dict[str, list[float]] = {BASE: [], "this project: app.py": []}
    with tempfile.TemporaryDirectory() as home:
        for number in range(parsed.rounds + 1):
            for name, measured in seconds.items():
                with running_app(home, ("-c", BARE)) if name == BASE else running_app(home) as app:
                    if number:
                        measured.append(app.seconds)
    base = seconds[BASE]
    print(f"Python {sys.version.split()[0]}, {os.cpu_count()} processors, {parsed.rounds} rounds, medians of wall time")
    for name, measured in seconds.items():
        ratio = statistics.median(one / other for one, other in zip(measured, base, strict=True))
        print(f"{name:36} {statistics.median(measured):8.2f} s   {ratio:5.2f} ×")
    print(f"goal: at most {GOAL} ×; {'reached' if ratio <= GOAL else 'missed'}")


if __name__ == "__main__":
    main()
