"""The part of Markdown that reports and model cards of this project use, as HTML: headings, tables, lists, code, pictures."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

PICTURE = re.compile(r"!\[\]\((data:image/[a-z]+;base64,[A-Za-z0-9+/=]*)\)")


def to_html(text: str) -> str:
    """The blocks of a text, separated by blank lines, as HTML; everything in it is escaped but our own data: pictures."""
    return "\n".join(_blocks(text))


def _blocks(text: str) -> Iterator[str]:
    for block in re.split(r"\n\s*\n", text):
        lines = [line for line in block.splitlines() if line.strip()]
        while lines and (heading := re.match(r"(#{1,6}) +(.*)", lines[0])):
            level = min(len(heading[1]), 6)
            yield f"<h{level}>{_inline(heading[2])}</h{level}>"
            lines = lines[1:]
        if not lines:
            continue
        if all(line.startswith("|") for line in lines):
            yield _table(lines)
        elif all(line.startswith("    ") for line in lines):
            yield f"<pre>{html.escape(block)}</pre>"
        elif lines[0].startswith("- "):
            items = re.split(r"\n- ", "\n".join(lines)[2:])
            yield "<ul>" + "".join(f"<li>{_inline(item)}</li>" for item in items) + "</ul>"
        else:
            yield f"<p>{_inline(' '.join(lines))}</p>"


def _table(lines: list[str]) -> str:
    rows = [
        [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line.strip()[1:].removesuffix("|"))]
        for line in lines
    ]
    head, body = rows[0], [row for row in rows[1:] if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]
    lines_of_body = "".join("<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in row) + "</tr>" for row in body)
    return f"<table><thead><tr>{''.join(f'<th>{_inline(cell)}</th>' for cell in head)}</tr></thead><tbody>{lines_of_body}</tbody></table>"


def _inline(text: str) -> str:
    picture = PICTURE.fullmatch(text.strip())
    if picture:
        return f'<img alt="" width="64" style="image-rendering: pixelated" src="{picture[1]}">'
    words = html.escape(text, quote=False)
    words = re.sub(r"`([^`]+)`", r"<code>\1</code>", words)
    return re.sub(r"\*\*([^*]+)\*\*", r"<b>\1</b>", words)
