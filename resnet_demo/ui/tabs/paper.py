"""The Paper tab: the paper in our own words, its tables beside this project's numbers, its figures drawn from them."""

from __future__ import annotations

import gradio as gr

from resnet_demo.paper.sections import SECTIONS
from resnet_demo.paper.shapes import NETWORKS, drawing
from resnet_demo.paper.statements import Section
from resnet_demo.results.against_paper import (
    Comparison,
    comparisons,
    figure_6,
    figure_7,
    sentences_on_figure_6,
    sentences_on_figure_7,
)
from resnet_demo.results.shipped import ShippedModel, shipped_models
from resnet_demo.ui.paper_html import heading_id, section_text, tables
from resnet_demo.ui.shell import Shell
from resnet_demo.ui.widget import widget

TITLE = "Paper"


def build(shell: Shell) -> None:  # noqa: ARG001  # nothing here has events
    """Put the whole page into the open Blocks; it is ready when it is opened."""
    models = shipped_models()
    numbers = comparisons(models)
    with gr.Column(elem_id="paper"):
        gr.HTML(INTRODUCTION, elem_classes="paper")
        widget("contents", [{"id": heading_id(section), "title": section.title} for section in SECTIONS], label="Contents")
        for section in SECTIONS:
            gr.HTML(section_text(section), elem_classes="paper")
            _draw(section, models)
            if section.tables:
                gr.HTML(tables(_tables_of(section, numbers)), elem_classes="paper")


def _draw(section: Section, models: tuple[ShippedModel, ...]) -> None:
    match section.figure:
        case "architecture":
            value = {"networks": [drawing(config) for config in NETWORKS], "selected": "resnet34", "map": True}
            widget("architecture", value, label="Stages and building blocks", elem_id="architecture")
        case "figure 6":
            caption = " ".join([FIGURE_6, *sentences_on_figure_6(models)])
            widget("chart", figure_6(models) | {"caption": caption}, label="Figure 6", elem_id="figure-6")
        case "figure 7":
            caption = " ".join([FIGURE_7, *sentences_on_figure_7(models)])
            widget("chart", figure_7(models) | {"caption": caption}, label="Figure 7", elem_id="figure-7")


def _tables_of(section: Section, numbers: tuple[Comparison, ...]) -> list[Comparison]:
    """The section's tables; the authors' released weights stand with Table 4."""
    names = {f"Table {number}" for number in section.tables}
    return [
        comparison
        for comparison in numbers
        if comparison.name in names or ("Table 4" in names and not comparison.name.startswith("Table"))
    ]


INTRODUCTION = """
<p>Kaiming He, Xiangyu Zhang, Shaoqing Ren and Jian Sun, <em>Deep Residual Learning for Image Recognition</em>, 2015
(<a href="https://arxiv.org/abs/1512.03385" rel="noopener">arXiv 1512.03385</a>), in our own words. Each table has the paper's
numbers, what this project measured or counted, and what differs; each figure is drawn from this project's own records. The links
lead to where a claim can be tried.</p>
"""
FIGURE_6 = (
    "Figure 6 of the paper, drawn anew from the records of the models that ship: thin lines are errors on the augmented training "
    "batches, bold lines with marks are errors on the test images where the run measured them. One run of each network; the last "
    "column of Table 6 has the conditions."
)
FIGURE_7 = (
    "Figure 7 of the paper, computed from the weights that ship: the standard deviation of each layer's response on the 1,000 bundled "
    "test images, in evaluation mode, after batch normalization and before relu or the addition. One run of each network."
)
