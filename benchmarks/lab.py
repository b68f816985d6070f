"""Does the default preset show what it promises, and in time? Plain against residual, over depths and seeds.

    python benchmarks/lab.py [--depths 20 32 56] [--seeds 10] [--steps 400] [--image-size 16] [--json]

Each line is one run of the lab (`lab.comparison`): both networks in lock-step from the same weights, and the
seconds it took from click to end in a warm process. Below each depth: means, standard deviations between seeds,
in how many seeds the residual network's training loss is the lower one, and the margin as a multiple of the spread.
Training loss is the mean over the last twentieth of the points (training/summary.py).
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

import torch

from resnet_demo.comparison import LabSettings, comparison
from resnet_demo.data.dataset import BundledCache
from resnet_demo.results.summary import results
from resnet_demo.training import machine, session
from resnet_demo.training.events import RunFinished, RunStarted
from resnet_demo.training.record import Record


def measure(settings: LabSettings, on: machine.Machine, datasets: BundledCache) -> dict[str, Any]:
    """One run: final losses and errors of both networks, and how long it took."""
    with tempfile.TemporaryDirectory() as name:
        config = comparison(settings)
        events = list(session.run(config, Path(name), on=on, load=datasets.load))
        last = events[-1]
        if not isinstance(last, RunFinished):
            raise SystemExit(f"The run did not finish: {last}")
        precision = next(event.precision for event in events if isinstance(event, RunStarted))
        plain, residual = results(config, Record(Path(name)).events())
        return {
            "depth": settings.depth, "seed": settings.seed, "precision": precision, "seconds": last.seconds,
            "plain_loss": plain.train_loss, "residual_loss": residual.train_loss,
            "plain_error": plain.test_error, "residual_error": residual.test_error,
        }  # fmt: skip


def summarize(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Means and spreads over the seeds of one depth."""
    plain, residual = ([row[f"{kind}_loss"] for row in rows] for kind in ("plain", "residual"))
    spread = max(statistics.stdev(plain), statistics.stdev(residual)) if len(rows) > 1 else float("nan")
    margin = statistics.fmean(plain) - statistics.fmean(residual)
    return {
        "depth": rows[0]["depth"], "seeds": len(rows),
        "plain_loss": statistics.fmean(plain), "residual_loss": statistics.fmean(residual),
        "residual_lower": sum(r < p for p, r in zip(plain, residual, strict=True)),
        "margin": margin, "spread": spread, "slowest_seconds": max(row["seconds"] for row in rows),
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--depths", type=int, nargs="+", default=[20, 32, 56])
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--steps", type=int, default=LabSettings().steps)
    parser.add_argument("--image-size", type=int, default=LabSettings().image_size, choices=(16, 32))
    parser.add_argument("--json", action="store_true")
    parsed = parser.parse_args(arguments)
    machine.keep_memory()
    on, datasets = machine.Machine(), BundledCache()
    datasets.load(comparison(LabSettings(image_size=parsed.image_size)).data)
    on.faster_precision  # noqa: B018  measured before the clock runs
    report = []
    if not parsed.json:
        print(f"{platform.machine()}, {os.cpu_count()} CPUs, {torch.get_num_threads()} threads, torch {torch.__version__}")
        print(f"{'depth':>5} {'seed':>4} {'plain loss':>10} {'residual':>8} {'plain error':>11} {'residual':>8} {'seconds':>7}")
    for depth in parsed.depths:
        rows = []
        for seed in range(parsed.seeds):
            settings = LabSettings(depth=depth, seed=seed, steps=parsed.steps, image_size=parsed.image_size)
            rows.append(measure(settings, on, datasets))
            if not parsed.json:
                row = rows[-1]
                print(
                    f"{depth:5} {seed:4} {row['plain_loss']:10.3f} {row['residual_loss']:8.3f} {row['plain_error']:11.1%} "
                    f"{row['residual_error']:8.1%} {row['seconds']:7.0f}  {row['precision']}",
                    flush=True,
                )
        total = summarize(rows)
        report.append({"runs": rows, **total})
        if not parsed.json:
            print(
                f"{depth:5}  all {total['plain_loss']:10.3f} {total['residual_loss']:8.3f}   residual lower in "
                f"{total['residual_lower']} of {total['seeds']}, by {total['margin']:.2f} = {total['margin'] / total['spread']:.1f} "
                f"spreads; slowest {total['slowest_seconds']:.0f} s"
            )
    if parsed.json:
        print(json.dumps(report, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
