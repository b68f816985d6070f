"""What happened in a run, in numbers and in one or two sentences computed from them. No torch here."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from resnet_demo.config import ArmConfig, RunConfig
from resnet_demo.recipes import PAPER_ITERATIONS
from resnet_demo.training.events import ArmDiverged, Event, Measured, RunFinished, TrainingPoint

CLEAR = 0.1  # nats: about twice the spread between seeds that runs of the default preset show
NEAR_GUESSING = 0.05
FEWEST_STEPS = 50  # before that, and while the learning rate still rises, no network is said to learn better


@dataclass(frozen=True)
class Result:
    """Where an arm stands. Losses in nats; errors are shares of 1; None where nothing was measured."""

    name: str
    steps: int
    train_loss: float | None  # mean over the last twentieth of the points, at least the last five
    train_error: float | None
    test_loss: float | None
    test_error: float | None
    diverged: bool = False


def results(config: RunConfig, events: Iterable[Event]) -> tuple[Result, ...]:
    """Where each arm stands after these events, in the order of the config."""
    points: dict[str, list[TrainingPoint]] = {arm.name: [] for arm in config.arms}
    measured: dict[str, Measured] = {}
    diverged: dict[str, float] = {}
    for event in events:
        match event:
            case TrainingPoint():
                points[event.arm].append(event)
            case Measured():
                measured[event.arm] = event
            case ArmDiverged():
                diverged[event.arm] = event.loss
            case _:
                pass
    found = []
    for name, of_arm in points.items():
        last = of_arm[-max(5, len(of_arm) // 20) :]
        loss = diverged.get(name, statistics.fmean(point.loss for point in last) if last else None)
        error = statistics.fmean(point.error for point in last) if last else None
        judged = measured.get(name)
        found.append(Result(
            name=name, steps=last[-1].step if last else 0, train_loss=loss, train_error=error,
            test_loss=judged.loss if judged else None, test_error=judged.error if judged else None,
            diverged=name in diverged,
        ))  # fmt: skip
    return tuple(found)


def table(config: RunConfig, events: Iterable[Event]) -> list[list[str | int]]:
    """A row for each arm, for people: name, steps, training loss, test error in percent."""
    return [
        [
            result.name, result.steps,
            "diverged" if result.diverged else _number(result.train_loss, ".3f"),
            _number(None if result.test_error is None else 100 * result.test_error, ".1f"),
        ]
        for result in results(config, events)
    ]  # fmt: skip


def sentence(config: RunConfig, events: Sequence[Event]) -> str:
    """What happened, computed from the numbers, and honest when nothing clear did."""
    of_arms = {result.name: result for result in results(config, events)}
    steps = max((result.steps for result in of_arms.values()), default=0)
    if not steps:
        return "Nothing was learnt yet."
    finished = any(isinstance(event, RunFinished) for event in events)
    told: list[str] = []
    groups: dict[tuple[int, bool], list[Result]] = {}
    for arm in config.arms:
        groups.setdefault((arm.model.depth, arm.model.residual), []).append(of_arms[arm.name])
    classes = config.arms[0].model.classes
    depths = sorted({depth for depth, _ in groups})
    early = steps < max(FEWEST_STEPS, config.optimizer.warmup * config.steps)
    for depth in depths:
        plain, residual = groups.get((depth, False)), groups.get((depth, True))
        if plain and residual:
            told.append(_pair(depth, plain, residual, classes, early))
        else:
            told.append(_alone(_kind(config.arms, depth), plain or residual or [], classes))
    if len(depths) > 1 and not early:
        told += [_deeper(name, groups, depths, residual) for name, residual in (("plain", False), ("residual", True))]
    after = f"After {steps:,} {'steps' if finished else f'of {config.steps:,} steps'}"
    said = [part for part in told if part]
    return " ".join([f"{after} {said[0]}", *(part[0].upper() + part[1:] for part in said[1:])] if said else [f"{after}."])


def _kind(arms: Sequence[ArmConfig], depth: int) -> str:
    return next(f"{'residual' if arm.model.residual else 'plain'}-{depth}" for arm in arms if arm.model.depth == depth)


def _pair(depth: int, plain: list[Result], residual: list[Result], classes: int, early: bool) -> str:
    broken = [(kind, arms) for kind, arms in (("plain", plain), ("residual", residual)) if any(arm.diverged for arm in arms)]
    if broken:
        told = ". ".join(_diverged(f"{kind}-{depth}", arms) for kind, arms in broken).replace(". the ", ". The ")
        return f"{told}.{_survivor(depth, plain, residual, classes)}"
    losses = [[arm.train_loss for arm in arms if arm.train_loss is not None] for arms in (plain, residual)]
    if not losses[0] or not losses[1]:
        return ""
    said = (
        f"the plain-{depth} network's training loss is {_with_spread(losses[0], classes)}; "
        f"the residual one's is {_with_spread(losses[1], classes)}."
    )
    said += _errors(plain, residual)
    if early:
        return f"{said} These are too few steps to say which learns better."
    shown = [round(statistics.fmean(of_kind), 2) for of_kind in losses]  # so that a reader can do the subtraction
    if not is_clear(losses[0], losses[1]):
        return f"{said} That is no clear difference at depth {depth} and this length."
    better, worse = ("residual", "plain") if shown[0] > shown[1] else ("plain", "residual")
    gap = f"{abs(shown[0] - shown[1]):.2f} nats of training loss"
    return f"{said} The {better} network learns better than the {worse} one {_where(losses)}, by {gap}."


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
    told = f"{mean:.2f}" + (f" ± {statistics.stdev(losses):.2f} over {len(losses)} seeds" if len(losses) > 1 else "")
    return f"{told}, near the {guessing:.2f} of guessing" if abs(mean - guessing) < NEAR_GUESSING else told


def _errors(plain: list[Result], residual: list[Result]) -> str:
    means = []
    for arms in (plain, residual):
        known = [arm.test_error for arm in arms if arm.test_error is not None]
        if not known:
            return ""
        means.append(f"{statistics.fmean(known):.1%}".replace("%", " %"))
    return f" Of the test images they get {means[0]} and {means[1]} wrong."


def _diverged(name: str, arms: list[Result]) -> str:
    broken = [arm for arm in arms if arm.diverged]
    which = f"the {name} network diverged" if len(arms) == 1 else f"{len(broken)} of {len(arms)} {name} networks diverged"
    return f"{which} (the loss was no longer a finite number) at step {min(arm.steps for arm in broken)} and stopped there"


def _survivor(depth: int, plain: list[Result], residual: list[Result], classes: int) -> str:
    told = ""
    for kind, arms in (("plain", plain), ("residual", residual)):
        losses = [arm.train_loss for arm in arms if not arm.diverged and arm.train_loss is not None]
        if losses:
            told += f" The {kind}-{depth} training loss is {_with_spread(losses, classes)}."
    return told


def _alone(name: str, arms: list[Result], classes: int) -> str:
    if any(arm.diverged for arm in arms):
        return _diverged(name, arms) + "."
    losses = [arm.train_loss for arm in arms if arm.train_loss is not None]
    return f"the {name} network's training loss is {_with_spread(losses, classes)}." if losses else ""


def _deeper(name: str, groups: dict[tuple[int, bool], list[Result]], depths: list[int], residual: bool) -> str:
    """Whether more layers train worse: the deepest against the shallowest of one kind."""
    ends = [groups.get((depth, residual), []) for depth in (depths[0], depths[-1])]
    losses = [[arm.train_loss for arm in arms if arm.train_loss is not None and not arm.diverged] for arms in ends]
    if not losses[0] or not losses[1]:
        return ""
    shallow, deep = (statistics.fmean(of_end) for of_end in losses)
    if not is_clear(losses[0], losses[1]):
        return f"Among the {name} networks, {depths[-1]} layers train about as well as {depths[0]}."
    one = " in this one run" if min(map(len, losses)) < 2 else ""
    if deep > shallow:
        steps = max(arm.steps for arms in ends for arm in arms)
        told = f"Among the {name} networks, {depths[-1]} layers train worse{one} than {depths[0]} after {steps:,} steps"
        if not residual:
            return f"{told}, as in degradation."
        return (
            f"{told}; after the paper's {PAPER_ITERATIONS:,} (Figure 6) its deeper ones are ahead."
            if steps < PAPER_ITERATIONS
            else f"{told}."
        )
    return f"Among the {name} networks, {depths[-1]} layers train better{one} than {depths[0]}."


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)
