"""The shortcut as a dial: relu(F(x) + alpha x) in every block of a trained network, with alpha from 1 to 0."""

from __future__ import annotations

from resnet_demo.errors import SettingError
from resnet_demo.inside.composition import blocks_of, compose, with_shortcut_scaled
from resnet_demo.inside.context import Context
from resnet_demo.inside.lesions import CHANCE, percent
from resnet_demo.inside.outcome import Line, Outcome, Panel
from resnet_demo.inside.request import InsideRequest
from resnet_demo.inside.sample import DESCRIPTION, sample
from resnet_demo.zoo.catalogue import title_of

ALPHAS = (1.0, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.4, 0.2, 0.0)


def run(request: InsideRequest, context: Context) -> Outcome:
    """The experiment.

    Raises:
        SettingError: the network is plain.
    """
    weights, title = context.load(request.model), title_of(request.model)
    if not weights.model.config.residual:
        raise SettingError(f"model: {title} has no shortcuts that could be turned down; choose a residual network.")
    blocks, pictures = [block for _, block in blocks_of(weights)], sample(weights)
    accuracies = []
    for alpha in ALPHAS:
        context.say(f"{title}: α = {alpha}.")
        network = compose(weights.model, [with_shortcut_scaled(block, alpha) for block in blocks])
        accuracies.append(pictures.accuracy(network, context)[0])
    points = tuple(zip(ALPHAS, accuracies, strict=True))
    by_alpha = dict(points)
    lost = next((alpha for alpha, accuracy in points if accuracy < (accuracies[0] + CHANCE) / 2), 0.0)
    sentence = (
        f"{title} is right on {percent(by_alpha[1.0])} at α = 1, on {percent(by_alpha[0.9])} at 0.9 and on {percent(by_alpha[0.0])} "
        f"without shortcuts; at α = {lost:g} it has lost half of its lead over chance."
    )
    panel = Panel(
        f"{title}, every shortcut times α", x="α", y="right answers, %", limits=(0, 100), levels=((CHANCE, "chance"),), wide=True,
        lines=(Line(title, "residual", points, marks=True),),
    )  # fmt: skip
    return Outcome(sentence, f"{DESCRIPTION} Every block computes relu(F(x) + αx).", (panel,))
