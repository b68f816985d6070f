"""The README's table of figures, measured anew: each row is what one benchmark prints.

    python benchmarks/figures.py [BENCHMARK ...] [--short]

BENCHMARKs (default: all, about two hours on two cores): load, classify_while_training, watchers, first_point,
train_throughput, kill_resume. The table goes to standard output, as Markdown under the machine and the versions it was
measured with; progress goes to standard error. Measure at rest: the load of the machine beforehand is part of the heading.
`--short` does as little as each benchmark can, to see that all of them work.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.train_throughput import machine_words

ROOT = Path(__file__).parents[1]
Row = tuple[str, str]
"""What was measured, and the figure."""


@dataclass(frozen=True)
class Benchmark:
    """A script, the options that make it short, and the rows in its JSON."""

    name: str
    short: tuple[str, ...]
    rows: Callable[[Any], Iterator[Row]]


def load(report: Any) -> Iterator[Row]:
    """Answers of many clients, and what stays behind."""
    for part in ("thirty", "thirty while a run trains", "hundred"):
        numbers = report[part]
        times = ", ".join(f"p{share} {numbers[f'p{share}_s']:.2f} s" for share in (50, 95, 99))
        failures = f"{numbers['errors']} errors, {numbers['refusals']} refusals"
        title = f"{numbers['clients']} clients back to back, Grad-CAM of ResNet-20, {part.partition(' ')[2] or 'nothing else running'}"
        yield title, f"{times}; {numbers['answers_a_second']:.0f} answers a second; {failures}"
    kept = report["requests"]
    growth = f"{kept['memory_growth_mb']:+.0f} MB, {kept['thread_growth']:+} threads, {kept['file_growth']:+} open files"
    yield f"{kept['answers']:,} answers: what the app keeps", f"{growth}; {kept['errors']} errors"
    for title in ("launches from one client", "launches from 100 cookies"):
        numbers = report[title]
        yield (
            title,
            f"{numbers['train']} trains, {numbers['wait']} wait, {numbers['refusals']} refused; {numbers['errors']} errors",
        )
    beside = report["idle"]
    yield f"an answer beside {beside['idle_connections']} slow and idle connections", f"p95 {beside['p95_s']:.2f} s"


def classify_while_training(report: Any) -> Iterator[Row]:
    """One client, alone and beside a run."""
    alone, beside = report["p95_alone_ms"], report["p95_while_training_ms"]
    yield "an answer while a run trains, against one alone", f"p95 {beside:.0f} ms against {alone:.0f}, {report['ratio']:.2f} ×"


def watchers(report: Any) -> Iterator[Row]:
    """Thirty who watch a run."""
    share, growth = report["watchers_share_of_a_core"], report["memory_growth_mb"]
    yield f"{report['watchers']} watchers of a run", f"{share:.0%} of a core, p95 {report['p95_ms']:.0f} ms, {growth:+.1f} MB"


def first_point(report: Any) -> Iterator[Row]:
    """The default comparison."""
    first, end = (statistics.median(run[f"{what}_seconds"] for run in report) for what in ("first_point", "end"))
    yield (
        "the default comparison, from click to first point and end",
        f"{first:.1f} s and {end:.0f} s (median of {len(report)})",
    )


def train_throughput(report: Any) -> Iterator[Row]:
    """Training against the common recipe."""
    for side, ratio in report["ratios"].items():
        images, best = report["medians"][side], report["medians"][report["best_public"]]
        yield (
            f"training ResNet-20 ({side}) against the common recipe",
            f"{images:.0f} images a second against {best:.0f}, {ratio:.2f} ×",
        )


def kill_resume(report: Any) -> Iterator[Row]:
    """Killed at random moments."""
    yield (
        "killed with SIGKILL at random moments, then continued",
        f"{report['equal']} of {len(report['trials'])} readable and bit-identical",
    )


BENCHMARKS = (
    Benchmark("load", ("--share", "0.02"), load),
    Benchmark("classify_while_training", ("--requests", "5", "--rounds", "1"), classify_while_training),
    Benchmark("watchers", ("--seconds", "5"), watchers),
    Benchmark("first_point", ("--rounds", "1"), first_point),
    Benchmark("train_throughput", ("--steps", "12", "--repeats", "1"), train_throughput),
    Benchmark("kill_resume", ("--moments", "4"), kill_resume),
)


def measured(benchmark: Benchmark, *, short: bool) -> Iterator[tuple[str, str, str]]:
    """The rows of one benchmark: what, figure, command. A benchmark that misses a goal still has figures."""
    words = [f"benchmarks/{benchmark.name}.py", *(benchmark.short if short else ()), "--json"]
    command = f"python {' '.join(words[:-1])}"
    print(command, file=sys.stderr, flush=True)
    done = subprocess.run([sys.executable, *words], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        for what, figure in benchmark.rows(json.loads(done.stdout)):
            yield what, figure, command
    except ValueError:  # no JSON: it broke off
        yield benchmark.name, f"broke off with exit status {done.returncode}", command


def heading() -> str:
    """The machine, the versions and how busy it was."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("gradio", "pillow"))
    return f"{date.today()}: {machine_words()}, {versions}; load average beforehand {os.getloadavg()[0]:.1f}."


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    names = [benchmark.name for benchmark in BENCHMARKS]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("benchmarks", nargs="*", metavar="BENCHMARK", help=f"of {', '.join(names)}; all by default")
    parser.add_argument("--short", action="store_true", help="only see that each works")
    parsed = parser.parse_args(arguments)
    if unknown := [name for name in parsed.benchmarks if name not in names]:
        parser.error(f"there is no benchmark {unknown[0]!r}: say {', '.join(names)}")
    print(f"{heading()}\n\n| figure | measured | command |\n|---|---|---|", flush=True)
    for benchmark in BENCHMARKS:
        if benchmark.name in (parsed.benchmarks or names):
            for row in measured(benchmark, short=parsed.short):
                print(f"| {row[0]} | {row[1]} | `{row[2]}` |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
