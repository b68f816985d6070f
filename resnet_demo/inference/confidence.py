"""The sentences about confidence: whether an answer is unsure, and which classes a model knows.

A network must choose one of its classes for any picture, and its softmax is not a measured probability of being
right. So the sentences speak of shares, not of chances, and name the model's classes with every answer.

The rule, measured with `benchmarks/confidence.py` on the shipped ResNet-20 (92.51 % right on the test images; LOG.md has the
table): an answer is unsure if its entropy is above 0.3 of the largest possible, the entropy of two equally likely classes
among ten. Unsure are

- 2.7 % of 3,000 training images of CIFAR-10. The network was trained on them: new ones are more often unsure;
- 69.7 % of 221 photographs of things that are none of its classes, 29.0 % of 200 pictures of noise, 96.5 % of 200 plain colours and
  ramps, 72.0 % of 200 pictures of text.

The others pass, and no threshold separates the two kinds. Models of a thousand classes are not measured.

Of fewer than ten classes that share of the entropy is small: of two, one that has 94 % would be unsure. So there, besides, the best
class must have less than two thirds, twice what all others have together. `benchmarks/transfer.py own` counts what both rules do.
"""

from __future__ import annotations

from collections.abc import Sequence

from resnet_demo.words import enumeration, share

UNSURE = 0.3
"""An answer is unsure if its entropy is a larger share than this of the largest possible."""

FEW, CLEAR = 10, 2 / 3
"""Of fewer classes than FEW, an answer is unsure only if its best class, besides, has a smaller share than CLEAR."""

NAMED = 10
"""Up to this many classes are listed by name; of more, the number and the first three."""


def is_unsure(probability: float, entropy: float, classes: int) -> bool:
    """Whether an answer is unsure.

    Args:
        probability: the best class's share.
        entropy: as a share of the largest possible, 0 to 1.
        classes: their number.
    """
    return entropy > UNSURE and (classes >= FEW or probability < CLEAR)


def unsure(probability: float, entropy: float, classes: int) -> str:
    """A sentence for an answer that is unsure; empty for others. Takes the same as `is_unsure`."""
    if not is_unsure(probability, entropy, classes):
        return ""
    return f"It is unsure: the best class has only {share(probability)}, so perhaps none of its classes fits."


def words(probability: float, entropy: float, classes: Sequence[str]) -> str:
    """The sentences beside an answer: whether it is unsure, and which classes the model knows."""
    return f"{unsure(probability, entropy, len(classes))} {knows(classes)}".strip()


def knows(classes: Sequence[str]) -> str:
    """Which classes the model knows, in one sentence."""
    if len(classes) <= NAMED:
        names = enumeration(classes)
        return f"This model knows {len(classes)} classes, {names}, and must choose one of them whatever it is shown."
    names = ", ".join(name.split(",")[0] for name in classes[:3])
    return f"This model knows {len(classes):,} classes, such as {names}, and must choose one of them whatever it is shown."
