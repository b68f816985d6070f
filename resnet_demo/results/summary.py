"""The results of a run: numbers for each arm, and a text computed from them. No torch here."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from resnet_demo.config import RunConfig
from resnet_demo.recipes import PAPER_ITERATIONS
from resnet_demo.results.transfer_paper import beside_paper
from resnet_demo.training.events import ArmDiverged, Event, Measured, RunFinished, TrainingPoint, TransferMeasured
from resnet_demo.transfer import result
from resnet_demo.words import tenths

CLEAR = 0.1  # nats: about twice the spread between seeds in runs of the default preset
NEAR_GUESSING = 0.05
FEWEST_STEPS = 50  # the text compares no networks before this step or during the warm-up


@dataclass(frozen=True)
class Result:
    """The latest numbers of an arm. Losses in nats, errors as fractions of 1; None for missing measurements."""

    name: str
    steps: int
    train_loss: float | None  # mean over the last twentieth of the points, at least the last five
    train_error: float | None
    test_loss: float | None
    test_error: float | None
    diverged: bool = False


Arms = dict[tuple[int, bool], list[Result]]
"""The results by depth and by whether the networks are residual; one for each seed."""

Winner = Literal["plain", "residual", "neither"]
"""The kind of network that learned better; 'neither' if there is no clear difference."""


def results(config: RunConfig, events: Iterable[Event]) -> tuple[Result, ...]:
    """The result of each arm after these events, in the order of the config."""
    points: dict[str, list[TrainingPoint]] = {arm.name: [] for arm in config.arms}
    measurements: dict[str, Measured] = {}
    divergences: dict[str, float] = {}
    test_errors: dict[str, float] = {}  # of a transfer, whose other measurements are of validation pictures
    for event in events:
        match event:
            case TrainingPoint():
                points[event.arm].append(event)
            case Measured():
                measurements[event.arm] = event
            case TransferMeasured():
                errors = {baseline.arm: 1 - baseline.test_accuracy for baseline in event.baselines}
                test_errors |= errors | {event.arm: 1 - event.test_accuracy}
            case ArmDiverged():
                divergences[event.arm] = event.loss
            case _:
                pass
    all_results = (_result(name, curve, measurements.get(name), divergences.get(name)) for name, curve in points.items())
    return tuple(
        replace(item, test_error=test_errors[item.name], test_loss=None) if item.name in test_errors else item
        for item in all_results
    )


def _result(name: str, curve: Sequence[TrainingPoint], measurement: Measured | None, divergence: float | None) -> Result:
    last = curve[-max(5, len(curve) // 20) :]
    loss = statistics.fmean(point.loss for point in last) if last else None
    return Result(
        name=name, steps=last[-1].step if last else 0,
        train_loss=loss if divergence is None else divergence,
        train_error=statistics.fmean(point.error for point in last) if last else None,
        test_loss=measurement.loss if measurement else None, test_error=measurement.error if measurement else None,
        diverged=divergence is not None,
    )  # fmt: skip


def table(config: RunConfig, events: Iterable[Event]) -> list[list[str | int]]:
    """A row for each arm, as text: name, steps, training loss, test error in percent."""
    return [
        [
            result.name, result.steps,
            "diverged" if result.diverged else _number(result.train_loss, ".3f"),
            _number(None if result.test_error is None else 100 * result.test_error, ".1f"),
        ]
        for result in results(config, events)
    ]  # fmt: skip


def sentence(config: RunConfig, events: Sequence[Event]) -> str:
    """A text of a few sentences on the results; it claims a difference only where the numbers show one clearly."""
    transfer = result.measurement(events)
    if transfer is not None:
        return f"{result.sentence(transfer)} {beside_paper(config, transfer)}".strip()
    if config.transfer:
        return result.unfinished(config, events)
    arms, steps = _by_kind(config, events)
    if not steps:
        return "Nothing has been learned yet."
    is_early = _is_early(config, steps)
    parts = [part for part in _parts(arms, config.arms[0].model.classes, is_early) if part]
    is_finished = any(isinstance(event, RunFinished) for event in events)
    length = f"After {steps:,} {'steps' if is_finished else f'of {config.steps:,} steps'}"
    if not parts:
        return f"{length}."
    return " ".join([f"{length} {parts[0]}", *(part[0].upper() + part[1:] for part in parts[1:])])


def deepest_pair(config: RunConfig) -> int | None:
    """The largest depth at which a run trains both a plain and a residual network; None if there is none."""
    kinds = {(arm.model.depth, arm.model.residual) for arm in config.arms}
    return max((depth for depth, _ in kinds if {(depth, False), (depth, True)} <= kinds), default=None)


def winner(config: RunConfig, events: Sequence[Event]) -> Winner | None:
    """The network of the deepest pair that learned better, by the rule of `sentence`; None if it is too early to say."""
    depth = deepest_pair(config)
    arms, steps = _by_kind(config, events)
    if depth is None or _is_early(config, steps):
        return None
    return _better(arms[depth, False], arms[depth, True])


def _by_kind(config: RunConfig, events: Iterable[Event]) -> tuple[Arms, int]:
    """The results by depth and kind, and the last step."""
    by_name = {result.name: result for result in results(config, events)}
    arms: Arms = {}
    for arm in config.arms:
        arms.setdefault((arm.model.depth, arm.model.residual), []).append(by_name[arm.name])
    return arms, max((result.steps for result in by_name.values()), default=0)


def _is_early(config: RunConfig, steps: int) -> bool:
    return steps < max(FEWEST_STEPS, config.optimizer.warmup * config.steps)


def _better(plain: Sequence[Result], residual: Sequence[Result]) -> Winner | None:
    """The kind that learned better: one that did not diverge, else the one with the clearly lower training loss."""
    plain_diverged, residual_diverged = (any(arm.diverged for arm in arms) for arms in (plain, residual))
    if plain_diverged and residual_diverged:
        return "neither"
    if plain_diverged:
        return "residual"
    if residual_diverged:
        return "plain"
    losses = [[arm.train_loss for arm in arms if arm.train_loss is not None] for arms in (plain, residual)]
    if not losses[0] or not losses[1]:
        return None
    if not is_clear(losses[0], losses[1]):
        return "neither"
    return "residual" if statistics.fmean(losses[0]) > statistics.fmean(losses[1]) else "plain"


def _parts(arms: Arms, classes: int, is_early: bool) -> Iterator[str]:
    """What there is to say about each depth, then about each kind of network across depths."""
    depths = sorted({depth for depth, _ in arms})
    for depth in depths:
        plain, residual = arms.get((depth, False)), arms.get((depth, True))
        if plain and residual:
            yield _pair(depth, plain, residual, classes, is_early)
        else:
            yield _alone(f"residual-{depth}" if residual else f"plain-{depth}", plain or residual or [], classes)
    if len(depths) > 1 and not is_early:
        yield _deeper("plain", arms, depths, residual=False)
        yield _deeper("residual", arms, depths, residual=True)


def _pair(depth: int, plain: list[Result], residual: list[Result], classes: int, is_early: bool) -> str:
    divergences = [
        _diverged(f"{kind}-{depth}", arms)
        for kind, arms in (("plain", plain), ("residual", residual))
        if any(arm.diverged for arm in arms)
    ]
    if divergences:
        return f"{'. '.join(divergences).replace('. the ', '. The ')}.{_survivor(depth, plain, residual, classes)}"
    losses = [[arm.train_loss for arm in arms if arm.train_loss is not None] for arms in (plain, residual)]
    if not losses[0] or not losses[1]:
        return ""
    numbers = (
        f"the plain-{depth} network's training loss is {_with_spread(losses[0], classes)}; "
        f"the residual one's is {_with_spread(losses[1], classes)}.{_errors(plain, residual)}"
    )
    if is_early:
        return f"{numbers} These are too few steps to say which learns better."
    better = _better(plain, residual)
    if better == "neither":
        return f"{numbers} That is no clear difference at depth {depth} and this length."
    worse = "plain" if better == "residual" else "residual"
    means = [round(statistics.fmean(of_kind), 2) for of_kind in losses]  # as printed, so that a reader can subtract them
    gap = f"{abs(means[0] - means[1]):.2f} nats of training loss"
    return f"{numbers} The {better} network learns better than the {worse} one {_where(losses)}, by {gap}."


def _where(losses: Sequence[Sequence[float]]) -> str:
    return "here" if min(map(len, losses)) > 1 else "in this one run"


def is_clear(first: Sequence[float], second: Sequence[float]) -> bool:
    """Whether the mean losses differ by more than chance explains.

    With one seed: by more than CLEAR. With several: by more than twice the larger standard deviation between
    the seeds, and by more than half of CLEAR.
    """
    difference = abs(statistics.fmean(first) - statistics.fmean(second))
    if min(len(first), len(second)) < 2:
        return difference > CLEAR
    return difference > max(2 * statistics.stdev(first), 2 * statistics.stdev(second), CLEAR / 2)


def _with_spread(losses: Sequence[float], classes: int) -> str:
    mean, guessing = statistics.fmean(losses), math.log(classes)
    number = f"{mean:.2f}" + (f" ± {statistics.stdev(losses):.2f} over {len(losses)} seeds" if len(losses) > 1 else "")
    return f"{number}, near the {guessing:.2f} of guessing" if abs(mean - guessing) < NEAR_GUESSING else number


def _errors(plain: list[Result], residual: list[Result]) -> str:
    means = []
    for arms in (plain, residual):
        errors = [arm.test_error for arm in arms if arm.test_error is not None]
        if not errors:
            return ""
        means.append(tenths(statistics.fmean(errors)))
    return f" Of the test images they get {means[0]} and {means[1]} wrong."


def _diverged(name: str, arms: list[Result]) -> str:
    steps = [arm.steps for arm in arms if arm.diverged]
    which = f"the {name} network diverged" if len(arms) == 1 else f"{len(steps)} of {len(arms)} {name} networks diverged"
    return f"{which} (the loss was no longer a finite number) at step {min(steps)} and stopped there"


def _survivor(depth: int, plain: list[Result], residual: list[Result], classes: int) -> str:
    text = ""
    for kind, arms in (("plain", plain), ("residual", residual)):
        losses = [arm.train_loss for arm in arms if not arm.diverged and arm.train_loss is not None]
        if losses:
            text += f" The {kind}-{depth} training loss is {_with_spread(losses, classes)}."
    return text


def _alone(name: str, arms: list[Result], classes: int) -> str:
    if any(arm.diverged for arm in arms):
        return _diverged(name, arms) + "."
    losses = [arm.train_loss for arm in arms if arm.train_loss is not None]
    return f"the {name} network's training loss is {_with_spread(losses, classes)}." if losses else ""


def _deeper(name: str, by_kind: Arms, depths: list[int], *, residual: bool) -> str:
    """Whether more layers train worse: compares the deepest and the shallowest networks of one kind."""
    ends = [by_kind.get((depth, residual), []) for depth in (depths[0], depths[-1])]
    losses = [[arm.train_loss for arm in arms if arm.train_loss is not None and not arm.diverged] for arms in ends]
    if not losses[0] or not losses[1]:
        return ""
    shallow, deep = (statistics.fmean(of_end) for of_end in losses)
    if not is_clear(losses[0], losses[1]):
        return f"Among the {name} networks, {depths[-1]} layers train about as well as {depths[0]}."
    one = " in this one run" if min(map(len, losses)) < 2 else ""
    if deep > shallow:
        steps = max(arm.steps for arms in ends for arm in arms)
        text = f"Among the {name} networks, {depths[-1]} layers train worse{one} than {depths[0]} after {steps:,} steps"
        if not residual:
            return f"{text}, as in degradation."
        return (
            f"{text}; after the paper's {PAPER_ITERATIONS:,} (Figure 6) its deeper ones are ahead."
            if steps < PAPER_ITERATIONS
            else f"{text}."
        )
    return f"Among the {name} networks, {depths[-1]} layers train better{one} than {depths[0]}."


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
