"""What each figure of a comparison shows, in a sentence computed from the numbers of the run. No torch here."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from resnet_demo.config import ArmConfig, RunConfig
from resnet_demo.results.summary import results
from resnet_demo.training.events import Diagnosed, Event
from resnet_demo.words import tenths


def readings(config: RunConfig, events: Sequence[Event]) -> dict[str, str]:
    """A sentence by figure (loss, error, gradient, response) on a plain and a residual network of one depth and seed.

    A figure has no sentence while it has no numbers, or if a network diverged and left numbers that are not finite. A run without
    such a pair has no sentences.

    Args:
        config: of the run.
        events: its history.
    """
    pair = _pair(config.arms)
    if pair is None or config.transfer is not None:
        return {}
    plain, residual = ({result.name: result for result in results(config, events)}[arm.name] for arm in pair)
    names = [f"{arm.model.kind}-{arm.model.depth}" for arm in pair]
    sentences = {}
    if plain.train_loss is not None and residual.train_loss is not None and not (plain.diverged or residual.diverged):
        sentences["loss"] = (
            f"At step {min(plain.steps, residual.steps):,} it is {plain.train_loss:.2f} for {names[0]} and {residual.train_loss:.2f} "
            f"for {names[1]}."
        )
    if plain.test_error is not None and residual.test_error is not None:
        sentences["error"] = (
            f"When last measured, {names[0]} had {tenths(plain.test_error)} of them wrong, {names[1]} {tenths(residual.test_error)}."
        )
    diagnosed = [_latest(events, arm.name) for arm in pair]
    if diagnosed[0] is not None and diagnosed[1] is not None:
        sentences |= _by_layer(names[0], names[1], diagnosed[0], diagnosed[1])
    several = "First seed: " if len({arm.seed for arm in config.arms}) > 1 else ""
    return {figure: several + text for figure, text in sentences.items()}


def _by_layer(plain: str, residual: str, of_plain: Diagnosed, of_residual: Diagnosed) -> dict[str, str]:
    sentences = {}
    first, other = of_plain.gradient_norms[0], of_residual.gradient_norms[0]
    if 0 < other < math.inf and math.isfinite(first / other):
        sentences["gradient"] = f"In the first layer, the gradient of {plain} is {first / other:.2g} times that of {residual}."
    if not all(map(math.isfinite, (*of_plain.response_deviations, *of_residual.response_deviations))):
        return sentences
    pairs = list(zip(of_plain.response_deviations, of_residual.response_deviations, strict=True))
    smaller = sum(residual_response < plain_response for plain_response, residual_response in pairs)
    means = [statistics.fmean(values) for values in zip(*pairs, strict=True)]
    sentences["response"] = (
        f"{smaller} of the {len(pairs)} layers respond less in {residual} than in {plain}; on average {means[1]:.2f} against "
        f"{means[0]:.2f}."
    )
    return sentences


def _pair(arms: Sequence[ArmConfig]) -> tuple[ArmConfig, ArmConfig] | None:
    """The first plain network that has a residual one of its depth and seed, and that one."""
    residuals = {(arm.model.depth, arm.seed): arm for arm in reversed(arms) if arm.model.residual}
    pairs = ((arm, residuals.get((arm.model.depth, arm.seed))) for arm in arms if not arm.model.residual)
    return next(((plain, residual) for plain, residual in pairs if residual is not None), None)


def _latest(events: Sequence[Event], arm: str) -> Diagnosed | None:
    return next((event for event in reversed(events) if isinstance(event, Diagnosed) and event.arm == arm), None)
