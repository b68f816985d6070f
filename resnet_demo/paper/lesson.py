"""A lesson: what a class predicts, runs, reads and explains, step by step, as data. No torch here."""

from __future__ import annotations

from dataclasses import dataclass

from resnet_demo.paper.sections import DEEP, DEEP_MODELS
from resnet_demo.paper.statements import Link, Statement

BUNDLED = "tests/data/test_bundle.py::test_it_holds_400_training_and_100_test_images_of_each_class"


@dataclass(frozen=True)
class Step:
    """One step of a lesson.

    Args:
        title: in a few words.
        question: what the class predicts before it looks.
        minutes: how long it takes.
        short: whether the lesson of 20 minutes has it, too.
        observed: what the class will see, with its evidence, and the link to where it sees it.
    """

    title: str
    question: str
    minutes: int
    short: bool
    observed: Statement

    @property
    def link(self) -> Link:
        """Where the class sees it."""
        return self.observed.links[0]


STEPS: tuple[Step, ...] = (
    Step(
        "Plain against residual",
        "Two networks of 32 layers learn from the same pictures. They differ in one thing: in one of them, each block adds its "
        "input to its output. Which one has the lower training loss after a minute, and by how much?",
        6, True,
        Statement(
            "The residual network. In ten runs of this comparison with other seeds it was lower in 10 of 10, by 0.64 on average.",
            ("log: beside other work): last training loss plain 1.818", "log: 0.64, 4.5 times the larger"),
            (Link("Open the comparison of depth 32, and press Start", "lab", preset="One minute: depth 32"),),
        ),
    ),
    Step(
        "Deeper, and worse",
        "Now plain networks of 20 and of 56 layers. A deeper network can do all that a shallower one does. Which of the two has "
        "the lower training loss?",
        12, False,
        Statement(
            "The shallower one: in a run of this preset the training loss of plain-20 ended at 1.27, that of plain-56 at 2.18. It is "
            "the loss on the training images, so this is not overfitting. The paper calls it degradation.",
            ("log: depths 20 and 56, 600 steps, warm-up 40",),
            (Link("Open the comparison of 20 and 56 layers, and press Start", "lab", preset="Degradation: 20 against 56"),),
        ),
    ),
    Step(
        "Trained to the end",
        "After a full training, how many of 100 pictures does a plain network of 56 layers get wrong, and how many a residual one?",
        6, True,
        Statement(
            "Plain-56 is wrong on 27.72 % of CIFAR-10's test images, ResNet-56 on 7.14 %; the page measures the 1,000 that ship. "
            "Both had 14,040 steps, the same seed and the same batches.",
            ("log: plain-56 27.72 %, ResNet-56 7.14 %", BUNDLED),
            (DEEP_MODELS,),
        ),
    ),
    Step(
        "Why: what one step along a line changes",
        "Walk in 256 small steps from the picture of a cat to that of a ship, and ask an untrained network at each step in which "
        "direction its answer changes. Do neighbouring steps agree, in a plain network of 56 layers and in a residual one?",
        6, True,
        Statement(
            "In the plain network they agree no more than noise does: the correlation of neighbouring points is 0.08. In the "
            "residual one it is 0.74. In the plain network the gradient at one point does not tell the gradient at the next.",
            ("log: 0.83, 0.48, −0.12, 0.08, 0.08", "log: (256 points, seed 0"),
            (Link("See the gradients at 56 layers", "inside", {"experiment": "gradients", "depth": "56"}),),
        ),
    ),
    Step(
        "Why: what a block is for",
        "Take one block out of a trained network of 56 layers. What is left of its accuracy, in a plain network and in a residual one?",
        8, False,
        Statement(
            "Of 500 test pictures, plain-56 keeps at most 19.2 % right whichever block goes; with all of them it has 74.4 %. "
            "ResNet-56 keeps 77.6 % or more of its 94.0 % without any one of 26 of its 27 blocks: they add to what came in, so most "
            "of them can be missed.",
            ("log: Blocks left out of 56 layers", "log: 77.6 % or more without any one", "log: plain-56 (whole 74.4)"),
            (Link("Take blocks out", "inside", {"experiment": "drop", "way": "each", **DEEP}),),
        ),
    ),
    Step(
        "Your own picture",
        "Take a picture of a cat, a ship or a car. Do both networks of 56 layers name it, and do they look at the same place?",
        10, False,
        Statement(
            "Expect them to differ at times: the plain network is wrong on 27.72 % of the test images, the residual one on 7.14 %. The "
            "maps show where each one looked; they do not show whether it was right.",
            ("log: plain-56 27.72 %, ResNet-56 7.14 %",),
            (Link("Ask both networks about a picture", "classify", {**DEEP, "picture": "cifar10-cat"}),),
        ),
    ),
    Step(
        "What the paper measured",
        "The paper's residual networks for CIFAR-10 have 20, 56 and 110 layers. Which one has the lowest test error?",
        2, True,
        Statement(
            "The deepest: 8.75 % with 20 layers, 6.97 % with 56, 6.43 % with 110. Its plain network of 110 layers is "
            "wrong on more than 60 %.",
            ("Table 6: ResNet-20", "Table 6: ResNet-56", "Table 6: ResNet-110", "fact: plain-110"),
            (Link("Read the paper's tables beside this project's numbers", "paper"),),
        ),
    ),
)  # fmt: skip
LESSONS: dict[int, tuple[Step, ...]] = {20: tuple(step for step in STEPS if step.short), 60: STEPS}
"""The steps of each lesson by its minutes; what is left is for questions."""
