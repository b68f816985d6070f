"""The text and the tables of the Paper tab as HTML. Everything that comes from data is escaped."""

from __future__ import annotations

import html
from collections.abc import Sequence
from urllib.parse import urlencode

from resnet_demo.comparison import PRESETS, LabSettings
from resnet_demo.paper.statements import FACTS, Link, Section, Statement
from resnet_demo.parsing import parse
from resnet_demo.results.against_paper import Comparison, Line
from resnet_demo.runs import forecast
from resnet_demo.words import SPACE

COLUMNS = ("Network", "The paper", "This project", "What differs")


def heading_id(section: Section) -> str:
    """The id of a section's heading."""
    return f"paper-{section.id}"


def address(link: Link) -> str:
    """The address that a link leads to."""
    settings = PRESETS[link.preset].settings if link.preset else None
    if link.settings is not None:
        settings = parse(LabSettings, link.settings)
    query = urlencode({"tab": link.tab, **link.query})
    query += "" if settings is None else f"&{forecast.link(settings).removeprefix('?')}"
    return f"?{query}" + (f"#{link.anchor}" if link.anchor else "")


def section_text(section: Section) -> str:
    """A section's heading and statements, and what stands behind them."""
    statements = "".join(_statement(statement) for statement in section.statements)
    evidence = "".join(
        f"<li>{_text(statement.text.partition('. ')[0].rstrip('.'))}: {_text('; '.join(map(_evidence, statement.evidence)))}.</li>"
        for statement in section.statements
    )
    return (
        f'<h2 id="{heading_id(section)}" tabindex="-1">{_text(section.title)}</h2><p class="where">{_text(section.where)}</p>'
        f"{statements}<details><summary>What stands behind each sentence</summary><ul>{evidence}</ul></details>"
    )


def _statement(statement: Statement) -> str:
    links = " · ".join(f'<a href="{html.escape(address(link))}">{_text(link.label)}</a>' for link in statement.links)
    return f"<p>{_text(statement.text)}</p>" + (f'<p class="try">{links}</p>' if links else "")


def _evidence(evidence: str) -> str:
    """A piece of evidence in words."""
    kind, _, name = evidence.partition(": ")
    if kind == "fact":
        return f"the paper's {FACTS[name].where}: {FACTS[name].text.rstrip('.')}"
    if kind == "log":
        return f"measured here, LOG.md, {name}"
    return evidence.replace(": ", ", ")


def table(comparison: Comparison) -> str:
    """A table with the paper's numbers, this project's, and what differs. On a narrow page it scrolls in itself."""
    name = comparison.name
    head = "".join(f'<th scope="col">{column}</th>' for column in COLUMNS)
    lines = "".join(_line(line) for line in comparison.lines)
    metrics = comparison.metrics.replace("; ", " / ")
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{_text(name)}"><table><caption><strong>'
        f"{_text(name)}: {_text(comparison.title)}</strong>, {_text(metrics)}. {_text(comparison.conditions)}. "
        f"Source: {_text(comparison.source)}.</caption><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _line(line: Line) -> str:
    links = [Link(f"measure {name}", "evaluate", {"model": name, "data": "bundled"}) for name in line.models]
    here = "".join(f'<br><a href="{html.escape(address(link))}">{_text(link.label)}</a>' for link in links)
    return (
        f'<tr><th scope="row">{_text(line.network)}</th><td>{_text(line.paper)}</td><td>{_text(line.here)}{here}</td>'
        f"<td>{_text(line.differs)}</td></tr>"
    )


def tables(comparisons: Sequence[Comparison]) -> str:
    """Several tables, one below the other."""
    return "".join(table(comparison) for comparison in comparisons)


def _text(text: str) -> str:
    return html.escape(text).replace(" %", f"{SPACE}%")
