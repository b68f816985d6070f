"""Small components of our own: a template, a style and a script in widgets/, joined by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

FOLDER = Path(__file__).parent / "widgets"


def widget(name: str, value: Any, *, label: str, **options: Any) -> gr.HTML:
    """A component drawn in the browser by widgets/<name>.html, .css and .js from a JSON value.

    Parts of a long script, widgets/<name>.<part>.js, stand before it and share its names; so does widgets/shared.js.

    Args:
        name: of the files.
        value: anything JSON can hold; the script watches it.
        label: what the component is, for people who hear the page.
        options: further arguments of gr.HTML.
    """
    scripts = [FOLDER / "shared.js", *sorted(FOLDER.glob(f"{name}.*.js")), FOLDER / f"{name}.js"]
    return gr.HTML(
        value,
        label=label,
        html_template=(FOLDER / f"{name}.html").read_text(encoding="utf-8"),
        css_template=(FOLDER / f"{name}.css").read_text(encoding="utf-8"),
        js_on_load="\n".join(script.read_text(encoding="utf-8") for script in scripts),
        **options,
    )
