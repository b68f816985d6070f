"""The test errors of the paper's depths on CIFAR-10: the paper's, other projects', and those of the models that ship.

    python -m resnet_demo.results.depths          writes the table into README.md

The README and the notebook show it. No torch here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from resnet_demo.config import ModelConfig
from resnet_demo.files import write_atomically
from resnet_demo.paper.others import PROJECTS
from resnet_demo.paper.tables import TABLE_6, TEST_ERROR
from resnet_demo.results.shipped import ShippedModel, shipped_models

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- python -m resnet_demo.results.depths -->\n", "<!-- end -->\n"
NOT_YET = "not trained here yet"
NONE = "–"
HEAD = ("layers", "paper, residual", *(f"{project.name}, residual" for project in PROJECTS), "here, residual", "here, plain")


@dataclass(frozen=True)
class DepthTable:
    """Test errors in percent: a row for each depth of Table 6, with a text for each column of HEAD."""

    rows: tuple[tuple[str, ...], ...]

    def markdown(self) -> str:
        """The table, and what its columns hold."""
        lines = [_line(HEAD), _line(["---", *["--:"] * (len(HEAD) - 1)]), *map(_line, self.rows)]
        return "\n".join([*lines, "", *_conventions()]) + "\n"

    _repr_markdown_ = markdown  # by which a notebook shows it


def depth_table(models: Sequence[ShippedModel]) -> DepthTable:
    """The table of these models. Where none of a depth ships, it says so."""
    paper: dict[int, list[str]] = {}
    for row in TABLE_6.rows:
        if row.config is not None:
            error = row.values[TABLE_6.metrics.index(TEST_ERROR)]
            paper.setdefault(row.config.depth, []).append(f"{error:.2f}" + (f" ({row.note})" if row.note else ""))
    return DepthTable(
        tuple(
            (
                str(depth), "; ".join(errors),
                *(f"{project.errors[depth]:.2f}" if depth in project.errors else NONE for project in PROJECTS),
                *(_here(models, ModelConfig.named(f"{kind}{depth}", design="cifar")) for kind in ("resnet", "plain")),
            )
            for depth, errors in paper.items()
        )
    )  # fmt: skip


def _here(models: Sequence[ShippedModel], config: ModelConfig) -> str:
    """The errors of the models that are such a network."""
    return "; ".join(f"{model.test_error:.2f}" for model in models if model.config == config) or NOT_YET


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _conventions() -> Iterator[str]:
    yield "Errors in percent of CIFAR-10's 10,000 test images, one view of each. They compare only roughly:"
    yield ""
    yield (
        "- The paper: Table 6; 64,000 iterations of 128 images. Of its plain networks it prints no numbers, only the curves of Figure 6."
    )
    for project in PROJECTS:
        yield f"- {project.name} ({project.source}): {project.convention}."
    yield (
        "- Here: the last step of one run each, weights as they ship, all 50,000 training images, nothing chosen on the test images. "
        "The cards in `weights/` name each run's recipe; it differs from the paper's, and between depths."
    )


def main() -> None:
    """Write the table into the README, between its two comments."""
    text = README.read_text(encoding="utf-8")
    table = f"{BEGIN}\n{depth_table(shipped_models()).markdown()}\n{END}"
    write_atomically(README, re.sub(f"{BEGIN}.*?{END}", lambda _: table, text, flags=re.DOTALL).encode())


if __name__ == "__main__":
    main()
