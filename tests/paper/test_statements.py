"""Every statement about the paper has evidence that exists and holds its numbers, and links that lead somewhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from resnet_demo.comparison import PRESETS, TRAINING_IMAGES, LabSettings
from resnet_demo.config import ModelConfig
from resnet_demo.inference.examples import EXAMPLE_PICTURES
from resnet_demo.model.resnet import ResNet, build
from resnet_demo.paper.sections import SECTIONS
from resnet_demo.paper.shapes import stages
from resnet_demo.paper.statements import FACTS, Link, Statement
from resnet_demo.paper.tables import TABLES
from resnet_demo.parsing import parse
from resnet_demo.zoo.catalogue import SHIPPED, well_known

ROOT = Path(__file__).parents[2]
STATEMENTS = [statement for section in SECTIONS for statement in section.statements]
LINKS = [link for statement in STATEMENTS for link in statement.links]
# Numbers that name something: networks, options, figures, years, shapes, formulas.
NAMES = (
    r"(?:(?:ResNet|VGG|CIFAR|VOC|ILSVRC|plain)[- ]?|(?:Tables?|Figures?|sections?|equation) )\d[\d.]*"
    r"|PASCAL VOC \d+|\d×\d|\dn|top-\d|6n \+ 2"
)


def numbers(text: str) -> set[float]:
    """The numbers of a text, without those in names."""
    return {float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?:\.\d+)?(?<!,)", re.sub(NAMES, "", text))}


def constants(node: ast.AST) -> Iterator[float]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Constant) and isinstance(inner.value, (int, float)):
            yield float(inner.value)
        elif isinstance(inner, ast.Constant) and isinstance(inner.value, str):
            yield from numbers(inner.value)


def test_numbers(evidence: str) -> set[float]:
    """The numbers in the source of a test; the test must exist."""
    path, _, name = evidence.partition("::")
    functions = {node.name: node for node in ast.parse((ROOT / path).read_text()).body if isinstance(node, ast.FunctionDef)}
    assert name in functions, f"there is no test {evidence}"
    return set(constants(functions[name]))


test_numbers.__test__ = False  # type: ignore[attr-defined]  # not a test, in spite of the name


def table_numbers(evidence: str) -> set[float]:
    """The numbers of a table, or of the lines of one network."""
    number, _, method = evidence.removeprefix("Table ").partition(": ")
    rows = [row for row in TABLES[int(number) - 1].rows if method in ("", row.method)]
    assert rows, f"there is no line {evidence}"
    return {value for row in rows for value in row.values if value is not None} | {
        value for row in rows for value in numbers(row.method + " " + row.note) | depths(row.method)
    }


def depths(method: str) -> set[float]:
    return {float(number) for number in re.findall(r"\d+", method)}


def evidence_numbers(evidence: str) -> set[float]:
    """The numbers of a piece of evidence, which must exist."""
    kind, _, name = evidence.partition(": ")
    if evidence.startswith("tests/"):
        return test_numbers(evidence)
    if kind.startswith("Table "):
        return table_numbers(evidence)
    if kind == "fact":
        return set(FACTS[name].values) | numbers(FACTS[name].text)
    assert kind == "log", f"{evidence} is no evidence"
    (line,) = [line for line in (ROOT / "LOG.md").read_text().splitlines() if name in line]
    return numbers(line)


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.text[:50])
def test_a_statement_has_evidence_and_each_of_its_numbers_is_in_it(statement: Statement) -> None:
    assert statement.evidence
    known = {number for evidence in statement.evidence for number in evidence_numbers(evidence)}
    missing = numbers(statement.text) - known
    assert not missing, f"{missing} stand in no evidence of: {statement.text}"


def test_a_number_that_stands_in_no_evidence_is_noticed() -> None:
    assert numbers("ResNet-20: 8.75 %, not 64,000 or 3×3 in Table 6.") == {8.75, 64_000}
    assert 8.76 not in evidence_numbers("Table 6: ResNet-20")
    with pytest.raises(AssertionError, match="there is no test"):
        evidence_numbers("tests/model/test_blocks.py::test_that_does_not_exist")
    with pytest.raises(AssertionError, match="there is no line"):
        evidence_numbers("Table 6: ResNet-21")


def test_every_fact_is_used() -> None:
    assert set(FACTS) == {
        evidence.removeprefix("fact: ") for statement in STATEMENTS for evidence in statement.evidence if "fact: " in evidence
    }


def test_every_table_is_shown_once_and_every_figure() -> None:
    assert sorted(table for section in SECTIONS for table in section.tables) == list(range(1, 9))
    assert [section.figure for section in SECTIONS if section.figure] == ["architecture", "figure 6", "figure 7"]
    assert len({section.id for section in SECTIONS}) == len(SECTIONS)


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda statement: statement.text[:60])
def test_every_statement_has_something_to_try(statement: Statement) -> None:
    assert statement.links


@pytest.mark.parametrize("link", LINKS, ids=lambda link: link.label)
def test_a_link_leads_to_what_is_there(link: Link) -> None:
    models = {path.name for path in SHIPPED.iterdir()} | {entry.name for entry in well_known()}
    assert link.tab in {"classify", "lab", "evaluate", "inside", "transfer"} or link.anchor == "architecture"
    assert {link.query[name] for name in ("model", "second") if name in link.query} <= models
    assert link.query.get("picture", "cifar10-cat") in {example.name for example in EXAMPLE_PICTURES}
    assert link.query.get("data", "bundled") == "bundled"
    if link.preset:
        assert link.preset in PRESETS
    if link.settings is not None:
        parse(LabSettings, link.settings)
    assert (link.tab == "lab") == bool(link.preset or link.settings is not None)


# --- Evidence that stands nowhere else ----------------------------------------------------------------


def test_a_deeper_plain_network_can_compute_what_a_shallower_one_does() -> None:
    shallow, deep = (build(ModelConfig.named(f"plain{depth}", width=4), seed=0).eval() for depth in (8, 14))
    with torch.no_grad():
        for stage in ("layer1", "layer2", "layer3"):
            first, second = deep.get_submodule(stage)
            first.load_state_dict(shallow.get_submodule(stage)[0].state_dict())  # type: ignore[index]  # a stage is a Sequential
            for conv in (second.conv1, second.conv2):
                torch.nn.init.dirac_(conv.weight)  # passes its input on, and relu does so with what is not negative
        deep.conv1.load_state_dict(shallow.conv1.state_dict())
        deep.fc.load_state_dict(shallow.fc.state_dict())
        pictures = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
        assert torch.allclose(deep(pictures), shallow(pictures), rtol=1e-3)


def test_a_bottleneck_for_256_channels_weighs_about_what_a_basic_block_for_64_does() -> None:
    with torch.device("meta"):
        basic, bottleneck = (ResNet(ModelConfig.named(name)).get_submodule("layer1.1") for name in ("resnet34", "resnet50"))
    weights = [sum(p.numel() for name, p in block.named_parameters() if "conv" in name) for block in (basic, bottleneck)]
    assert [block.conv1.in_channels for block in (basic, bottleneck)] == [64, 256]
    assert weights == [73_728, 69_632]


def test_the_stages_of_a_cifar_network_have_these_sizes_and_filters() -> None:
    for depth in (20, 56):
        _, *middle, _ = stages(ModelConfig.named(f"resnet{depth}"))
        assert [stage.output for stage in middle] == [(16, 32, 32), (32, 16, 16), (64, 8, 8)]
        assert sum(2 * n for n in ModelConfig.named(f"resnet{depth}").stages) + 2 == depth


def test_cifar_10_has_50_000_training_images() -> None:
    assert TRAINING_IMAGES["cifar10"] == 50_000
