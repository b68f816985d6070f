"""How long ResNet-20 takes to reach the paper's 91.25 % on CIFAR-10, against the public recipe's 64,000 iterations.

    HF_HUB_CACHE=… python benchmarks/time_to_accuracy.py [--epochs 24] [--seeds 3] [--held-out 5000] [--json]

Ours: `train --recipe fast` on all 50,000 training images, in a run of fixed length; its whole time counts, from reading the
data to writing the weights, and its accuracy is that of the last step. Every seed must reach the goal.

The public recipe (benchmarks/train_throughput.py) is not run to its end: its images a second are measured before and after
our runs, and its time is what 64,000 iterations of 128 images take at the mean of the two.

With --held-out the last 5,000 training images take the place of the test images: this is how settings are chosen, and
then there is no goal, as fewer images are trained on. Settings are given as to `train`, after `--`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.train_throughput import PUBLIC, machine_words, measured_apart
from resnet_demo.__main__ import parser as command_line
from resnet_demo.commands.train import run_config
from resnet_demo.recipes import PAPER_ITERATIONS, RECIPES
from resnet_demo.training import machine, session
from resnet_demo.training.events import Measured, RunFinished

GOAL_ACCURACY = 0.9125  # Table 6: ResNet-20, 8.75 % error
GOAL_SHARE = 1 / 20


def train(seed: int, epochs: float, held_out: int, options: list[str]) -> dict[str, Any]:
    """One run: its seconds, and the share of right answers on the test (or held-out) images after the last step."""
    with tempfile.TemporaryDirectory() as folder:
        words = ["train", "--recipe", "fast", "--arch", "resnet20", "--epochs", str(epochs), "--seed", str(seed)]
        words += ["--held-out", str(held_out), *options, "--out", folder]
        events = list(session.run(run_config(command_line().parse_args(words)), Path(folder) / "run"))
    end, measured = events[-1], [event for event in events if isinstance(event, Measured)]
    if not isinstance(end, RunFinished):
        raise SystemExit(f"The run of seed {seed} did not finish: {end}")
    return {"seed": seed, "seconds": end.seconds, "accuracy": 1 - measured[-1].error}


def recipe_images_per_second() -> float:
    """The public recipe at its best number of workers."""
    return max(float(measured_apart(side, 40, 10)["images_per_second"]) for side in PUBLIC)


def main() -> None:
    """Measure, and print the ratio of the times."""
    parser = argparse.ArgumentParser(description="Seconds until ResNet-20 reaches 91.25 %, against the public recipe.")
    parser.add_argument("--epochs", type=float, default=RECIPES["fast"].epochs)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--held-out", type=int, default=0, metavar="N")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("options", nargs="*", help="further options of `train`, after --")
    parsed = parser.parse_args()
    machine.keep_memory()
    before = recipe_images_per_second()
    runs = []
    for seed in range(parsed.seeds):
        runs.append(train(seed, parsed.epochs, parsed.held_out, parsed.options))
        print(f"seed {seed}: {runs[-1]['accuracy']:.2%} in {runs[-1]['seconds']:.0f} s", file=sys.stderr, flush=True)
    after = recipe_images_per_second()
    recipe_seconds = PAPER_ITERATIONS * 128 / statistics.fmean((before, after))
    seconds = statistics.fmean(run["seconds"] for run in runs)
    result = {
        "machine": machine_words(), "epochs": parsed.epochs, "held_out": parsed.held_out, "options": parsed.options,
        "runs": runs, "mean_accuracy": statistics.fmean(run["accuracy"] for run in runs), "mean_seconds": seconds,
        "recipe_images_per_second": [before, after], "recipe_seconds": recipe_seconds, "share": seconds / recipe_seconds,
        "reached": not parsed.held_out and all(run["accuracy"] >= GOAL_ACCURACY for run in runs),
    }  # fmt: skip
    if parsed.json:
        print(json.dumps(result))
        return
    print(f"{result['machine']}; ResNet-20, recipe fast, {parsed.epochs:g} epochs {' '.join(parsed.options)}".rstrip())
    accuracies = ", ".join(f"{run['accuracy']:.2%}" for run in runs)
    print(f"accuracy: {accuracies}; mean {result['mean_accuracy']:.2%}")
    print(
        f"seconds: {seconds:.0f}; the public recipe's 64,000 iterations: {recipe_seconds:.0f} at {before:.0f} and {after:.0f} images/s"
    )
    print(f"share: 1/{recipe_seconds / seconds:.1f} (goal: at most 1/{1 / GOAL_SHARE:.0f})")
    if not parsed.held_out:
        print(f"every seed reaches {GOAL_ACCURACY:.2%}: {'yes' if result['reached'] else 'no'}")


if __name__ == "__main__":
    main()
