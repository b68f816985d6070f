"""Veit, Wilber, Belongie 2016: blocks of a trained network are left out or exchanged, and the accuracy is measured again."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Iterator, Sequence

import numpy

from resnet_demo.inside.composition import Step, blocks_of, compose, keeps_size, leave_out_each, without_layers
from resnet_demo.inside.context import Context
from resnet_demo.inside.outcome import Line, Outcome, Panel
from resnet_demo.inside.request import InsideRequest
from resnet_demo.inside.sample import DESCRIPTION, Sample, sample
from resnet_demo.model.blocks import BasicBlock
from resnet_demo.words import SPACE
from resnet_demo.zoo.catalogue import title_of
from resnet_demo.zoo.folder import Weights

DRAWS = 3
"""Random choices of as many blocks."""
STEPS = 5
CHANCE = 10.0
REMAINS = (
    "A residual block that is off leaves its shortcut, also where the size changes. A plain block that is off is replaced by the identity "
    "or, where the size changes, by the shortcut of option A, which has no parameters."
)


def run(request: InsideRequest, context: Context) -> Outcome:
    """The experiment, on one network or two."""
    panels, sentences = [], []
    for name in request.models:
        weights, title = context.load(name), title_of(name)
        context.say(f"Measuring {title} on 500 pictures, whole and changed.")
        panel, sentence = WAYS[request.way](weights, title, request.seed, context)
        panels.append(panel)
        sentences.append(sentence)
    conditions = f"{DESCRIPTION} {REMAINS}" if request.way != "order" else f"{DESCRIPTION} {ORDER}"
    return Outcome(" ".join(sentences), conditions, tuple(panels))


def percent(value: float) -> str:
    """A percentage with one digit."""
    return f"{value:.1f}{SPACE}%"


def _each(weights: Weights, title: str, _seed: int, context: Context) -> tuple[Panel, str]:
    blocks = blocks_of(weights)
    names = [name for name, _ in blocks]
    network = leave_out_each(weights.model, [block for _, block in blocks])
    whole, *without = sample(weights).accuracy(network, context)
    panel = _bars(weights, f"{title} without one block", names, without, whole)
    best, worst = (choose(range(len(without)), key=without.__getitem__) for choose in (max, min))
    count = sum(accuracy > (whole + CHANCE) / 2 for accuracy in without)
    return panel, (
        f"{title} is right on {percent(whole)}; without one block, on {percent(without[worst])} (without {names[worst]}) to "
        f"{percent(without[best])} (without {names[best]}). It keeps more than half of its lead over chance without any one of "
        f"{count} of its {len(without)} blocks."
        if count
        else f"{title} is right on {percent(whole)}; without any one block, on at most {percent(without[best])}."
    )


def _several(weights: Weights, title: str, seed: int, context: Context) -> tuple[Panel, str]:
    blocks, pictures = [block for _, block in blocks_of(weights)], sample(weights)
    generator = numpy.random.default_rng(seed)
    counts = sorted({0, 1, 2, *(round(count) for count in numpy.linspace(0, len(blocks), STEPS))})
    draws: list[list[float]] = [[] for _ in counts]
    for count, results in zip(counts, draws, strict=True):
        context.say(f"{title}: {count} of {len(blocks)} blocks off.")
        for _ in range(DRAWS if 0 < count < len(blocks) else 1):
            off = set(generator.choice(len(blocks), count, replace=False).tolist())
            results.append(pictures.accuracy(compose(weights.model, _leave_out(blocks, off)), context)[0])
    kind = weights.model.config.kind
    lines = [
        Line("mean", kind, tuple(zip(counts, map(statistics.fmean, draws), strict=True)), marks=True),
        Line("best draw", "neutral", tuple(zip(counts, map(max, draws), strict=True))),
        Line("worst draw", "neutral", tuple(zip(counts, map(min, draws), strict=True))),
    ]
    panel = Panel(
        f"{title}, blocks off at random", x="blocks off", y="right answers, %", lines=tuple(lines), limits=(0, 100),
        levels=((CHANCE, "chance"),),
    )  # fmt: skip
    half = next(
        (count for count, results in zip(counts, draws, strict=True) if statistics.fmean(results) < (draws[0][0] + CHANCE) / 2)
    )
    return panel, (
        f"{title} has lost half of its lead over chance once {half} of its {len(blocks)} blocks "
        f"{'is' if half == 1 else 'are'} off (mean of {DRAWS} random choices)."
    )  # fmt: skip


def _leave_out(blocks: Sequence[BasicBlock], off: set[int]) -> list[Step]:
    return [without_layers(block) if number in off else block for number, block in enumerate(blocks)]


def _order(weights: Weights, title: str, _seed: int, context: Context) -> tuple[Panel, str]:
    blocks, pictures = blocks_of(weights), sample(weights)
    (whole,) = _accuracies(weights, [list(range(len(blocks)))], pictures, context)
    orders = list(_exchanges(blocks))
    changed = _accuracies(weights, [order for _, order in orders], pictures, context)
    panel = _bars(weights, f"{title} with blocks exchanged", [name for name, _ in orders], changed, whole)
    return panel, (
        f"{title} is right on {percent(whole)} in its own order, on {percent(min(changed[:-1]))} to {percent(max(changed[:-1]))} with two "
        f"neighbours exchanged, and on {percent(changed[-1])} with every stage reversed."
    )


def _accuracies(weights: Weights, orders: Sequence[Sequence[int]], pictures: Sample, context: Context) -> list[float]:
    blocks = [block for _, block in blocks_of(weights)]
    return [pictures.accuracy(compose(weights.model, [blocks[number] for number in order]), context)[0] for order in orders]


def _exchanges(blocks: Sequence[tuple[str, BasicBlock]]) -> Iterator[tuple[str, list[int]]]:
    """Orders with two neighbours exchanged, by their names; at last, every stage reversed. Blocks that change the size stay."""
    reversed_stages, numbers = list(range(len(blocks))), list(range(len(blocks)))
    stages = {name.partition(".")[0] for name, _ in blocks}
    for stage in sorted(stages):
        movable = [n for n in numbers if blocks[n][0].startswith(f"{stage}.") and keeps_size(blocks[n][1])]
        for place, other in zip(movable, reversed(movable), strict=True):
            reversed_stages[place] = other
        for first, second in itertools.pairwise(movable):
            order = [*numbers[:first], second, first, *numbers[second + 1 :]]
            yield f"{_short(blocks[first][0])}⇄{_short(blocks[second][0])}", order
    yield "all", reversed_stages


def _short(name: str) -> str:
    return name.removeprefix("layer")


def _bars(weights: Weights, title: str, names: Sequence[str], values: Sequence[float], whole: float) -> Panel:
    return Panel(
        title, "bars", x="block", y="right answers, %", labels=tuple(map(_short, names)), limits=(0, 100),
        lines=(Line(title, weights.model.config.kind, tuple(enumerate(values))),), levels=((whole, "whole"), (CHANCE, "chance")),
    )  # fmt: skip


ORDER = (
    "Neighbouring blocks of a stage change places; the first block of a stage stays where it changes the size. 'All': the movable "
    "blocks of every stage in reverse."
)
WAYS = {"each": _each, "several": _several, "order": _order}
