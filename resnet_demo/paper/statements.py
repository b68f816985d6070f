"""What a statement about the paper consists of: its words, the evidence for them, and links to where it can be tried. No torch here.

tests/paper/test_statements.py looks each piece of evidence up, and requires every number of a statement to be in it. Evidence
is one of

    Table 3                   a table of paper/tables.py, or of it one line: Table 3: ResNet-34 B
    fact: NAME                what the paper says in its text, in FACTS below
    log: PHRASE               the line of LOG.md with that phrase: measured here
    tests/….py::test_…        a test of this project, with the numbers that it holds
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Link:
    """A place of the page where a statement can be tried.

    Args:
        label: what one does there.
        tab: the id of the tab.
        query: the other fields of the address.
        settings: of the Lab, where they differ from its defaults; or
        preset: the title of the Lab's preset.
        anchor: the id of a part of that tab.
    """

    label: str
    tab: str
    query: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] | None = None
    preset: str = ""
    anchor: str = ""


@dataclass(frozen=True)
class Statement:
    """A few sentences that teach one thing, the evidence for them, and where to try it."""

    text: str
    evidence: tuple[str, ...]
    links: tuple[Link, ...] = ()


@dataclass(frozen=True)
class Section:
    """A part of the paper.

    Args:
        id: of the heading, for links.
        title: of the heading.
        where: the sections, figures and tables of the paper.
        statements: what it says.
        tables: the numbers of the tables to show after them.
        figure: which drawing to show: "architecture", "figure 6" or "figure 7"; empty for none.
    """

    id: str
    title: str
    where: str
    statements: tuple[Statement, ...]
    tables: tuple[int, ...] = ()
    figure: str = ""


@dataclass(frozen=True)
class Fact:
    """What the paper says in its text and in no table, with its numbers."""

    where: str
    text: str
    values: tuple[float, ...]


FACTS: Mapping[str, Fact] = {
    "plain-110": Fact("section 4.2", "The plain network of 110 layers has an error higher than 60 %, so it is not drawn.", (60,)),
    "1202": Fact("section 4.2", "The training error of the network of 1202 layers is below 0.1 %.", (0.1,)),
    "low start": Fact(
        "section 4.2", "ResNet-110 begins at 0.01 until the training error is below 80 % (about 400 iterations), then at 0.1.",
        (0.01, 80, 400, 0.1),
    ),
    "responses": Fact(
        "section 4.2, Figure 7", "ResNets respond less than their plain counterparts, and deeper ResNets less than shallow ones.", ()
    ),
    "not gradients": Fact(
        "section 4.1",
        "With batch normalization, neither signals nor gradients vanish in the plain networks; they may converge exponentially "
        "slowly.", (),
    ),
    "coco": Fact("section 4.3", "COCO's metric rises by 6.0 points, a relative improvement of 28 %.", (6.0, 28)),
    "ensemble": Fact("section 4.1", "Six models of different depth, two of them of 152 layers.", (6, 2)),
    "option C": Fact("section 4.1", "Option C makes every shortcut a projection; it is not used in the rest of the paper.", ()),
    "dropout": Fact("section 3.4", "No dropout.", ()),
}  # fmt: skip
