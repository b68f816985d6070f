"""The experiments: the question of each, what it is after, what it does not prove, and the settings that it reads."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Experiment:
    """What the page says of an experiment, whatever comes out.

    Args:
        title: its name.
        question: what it answers.
        reference: the work that it repeats on a small scale.
        link: the address of that work.
        caveat: what it does not prove.
        fields: the settings that it reads, by their names in `InsideRequest`.
    """

    title: str
    question: str
    reference: str
    link: str
    caveat: str
    fields: tuple[str, ...]


EXPERIMENTS = {
    "gradients": Experiment(
        "Shattered gradients",
        "If a picture changes a little, does the gradient that training follows change a little too?",
        "Balduzzi, Frean, Leary, Lewis, Ma, McWilliams 2017, The Shattered Gradients Problem",
        "https://arxiv.org/abs/1702.08591",
        "These networks are untrained, and this is one line between two pictures: it shows how training starts, not that noise in the "
        "gradient alone makes a deep plain network fail.",
        ("depth", "seed"),
    ),
    "drop": Experiment(
        "Drop a block",
        "Does a trained network need each of its blocks, and in their order?",
        "Veit, Wilber, Belongie 2016, Residual Networks Behave Like Ensembles of Relatively Shallow Networks",
        "https://arxiv.org/abs/1605.06431",
        "A network that survives a missing block was not trained to; and a plain network was never given a way around one, so its collapse "
        "says nothing about how well it learned.",
        ("model", "second", "way", "seed"),
    ),
    "dial": Experiment(
        "The shortcut as a dial",
        "How much of the shortcut does a trained residual network need?",
        "He, Zhang, Ren, Sun 2016, Identity Mappings in Deep Residual Networks, section 3.1",
        "https://arxiv.org/abs/1603.05027",
        "The network was trained at α = 1, and batch normalization keeps the statistics of that. Networks trained at another α, by the "
        "Lab's setting 'Shortcut scale', do learn, only less well: its first comparison ends with a training loss of 1.15 at α = 1, "
        "1.41 at 0.75, 1.65 at 0.5, 1.77 at 0.25 and 1.89 at 0 (means of three seeds).",
        ("model",),
    ),
    "responses": Experiment(
        "Layer responses",
        "How much does each layer change what passes through it?",
        "He, Zhang, Ren, Sun 2015, Deep Residual Learning, Figure 7",
        "https://arxiv.org/abs/1512.03385",
        "Small responses are what residual learning was hoped to give; they do not show that it is why training succeeds. The networks "
        "that ship stand beside each other in the Paper tab.",
        ("model", "second"),
    ),
    "maps": Experiment(
        "What a layer sees",
        "What do the maps of one layer make of a picture?",
        "Zeiler, Fergus 2014, Visualizing and Understanding Convolutional Networks",
        "https://arxiv.org/abs/1311.2901",
        "A map that looks like a part of the picture need not be of use for the answer. Each map is drawn from "
        "its own smallest to its own largest value.",
        ("model", "picture", "layer"),
    ),
    "neighbours": Experiment(
        "Nearest neighbours",
        "Which pictures does a network take for alike?",
        "Krizhevsky, Sutskever, Hinton 2012, ImageNet Classification with Deep Convolutional Neural Networks, section 6.1",
        "https://papers.nips.cc/paper/4824-imagenet-classification-with-deep-convolutional-neural-networks",
        "Features that lie close lead to the same answer; that does not make the pictures alike for a person.",
        ("model", "picture"),
    ),
    "loss": Experiment(
        "The loss along a line",
        "How soon does the loss rise when a trained network's weights change?",
        "Li, Xu, Taylor, Studer, Goldstein 2018, Visualizing the Loss Landscape of Neural Nets",
        "https://arxiv.org/abs/1712.09913",
        "One random direction out of hundreds of thousands: another seed gives another curve, and a flat line does not prove that training "
        "was easy.",
        ("model", "second", "seed"),
    ),
    "surface": Experiment(
        "The loss as a surface",
        "What does the loss look like around a trained network? Those of depths 20 and 56 ship; any other takes minutes the first time.",
        "Li, Xu, Taylor, Studer, Goldstein 2018, Visualizing the Loss Landscape of Neural Nets",
        "https://arxiv.org/abs/1712.09913",
        "A plane is two random directions out of hundreds of thousands: what looks like a smooth bowl here can be rough elsewhere.",
        ("model", "second", "seed"),
    ),
}
