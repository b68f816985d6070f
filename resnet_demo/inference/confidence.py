"""Honest words: how sure an answer is, and what a model can answer at all.

A network has to choose among its classes, whatever it is shown, and the softmax is no measured chance of being
right. So the words here speak of shares, not of chances, and say the model's classes with every answer.

The rule, measured with `benchmarks/honesty.py` on the shipped ResNet-20 (92.51 % right on the test images; LOG.md has the
table): an answer is called unsure where its entropy is above 0.3 of the largest there could be, as if it were spread over
2 of 10 classes alike. That was said of

- 2.7 % of 3,000 training images of CIFAR-10. The network had learned from them: of new ones it is said more often;
- 69.7 % of 221 photographs of things that it does not know, 29.0 % of 200 pictures of noise, 96.5 % of 200 plain colours and
  ramps, 72.0 % of 200 pictures of text.

The others pass, and no threshold tells the two apart. For models of a thousand classes nothing is measured.
"""

from __future__ import annotations

from collections.abc import Sequence

from resnet_demo.words import share

UNSURE = 0.3
"""An answer whose entropy is a larger share of the largest there could be is called unsure."""

NAMED = 10
"""So many classes are listed by name; of more, the number and the first three are told."""


def is_unsure(entropy: float) -> bool:
    """Whether to doubt that any class fits. Takes the answer's entropy, in 0..1 of the largest there could be."""
    return entropy > UNSURE


def unsure(probability: float, entropy: float) -> str:
    """A sentence for an answer that is to be doubted, else the empty text. Takes the best class's share and the entropy."""
    if not is_unsure(entropy):
        return ""
    return f"It is unsure: the best class has only {share(probability)}, so perhaps none of its classes fits."


def words(probability: float, entropy: float, classes: Sequence[str]) -> str:
    """What must be said beside an answer: whether it is unsure, and what the model can answer at all."""
    return f"{unsure(probability, entropy)} {knows(classes)}".strip()


def knows(classes: Sequence[str]) -> str:
    """What the model can answer at all, in one sentence."""
    if len(classes) <= NAMED:
        names = f"{', '.join(classes[:-1])} and {classes[-1]}"
        return f"This model knows {len(classes)} classes, {names}, and must choose one of them whatever it is shown."
    names = ", ".join(name.split(",")[0] for name in classes[:3])
    return f"This model knows {len(classes):,} classes, such as {names}, and must choose one of them whatever it is shown."
