"""Widgets are joined from their files by name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from resnet_demo.colours import OF_NETWORK as COLOURS
from resnet_demo.ui import widget as module
from resnet_demo.ui.theme import CSS

WIDGETS = sorted(path.name.split(".")[0] for path in module.FOLDER.glob("*.html"))


def test_a_script_in_parts_is_joined_with_what_all_share_and_the_one_that_runs_it_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {
        "shared.js": "shared",
        "clock.html": "<p>",
        "clock.css": "p {}",
        "clock.js": "main",
        "clock.hands.js": "hands",
        "clocks.js": "another's",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(module, "FOLDER", tmp_path)
    made = module.widget("clock", {}, label="Clock")
    assert (made.html_template, made.css_template, made.js_on_load) == ("<p>", "p {}", "shared\nhands\nmain")


def test_the_colours_of_the_networks_are_defined_once() -> None:
    assert f"--residual: {COLOURS[True]}; --plain: {COLOURS[False]};" in CSS
    for path in module.FOLDER.iterdir():
        text = path.read_text(encoding="utf-8").lower()
        assert not [colour for colour in COLOURS.values() if colour.lower() in text], path.name
    assert CSS.count(COLOURS[True]) == CSS.count(COLOURS[False]) == 1


@pytest.mark.parametrize("name", WIDGETS)
def test_a_widget_defines_no_name_that_all_share(name: str) -> None:
    script = module.widget(name, {}, label=name).js_on_load
    names = re.findall(r"^(?:async )?(?:function|const|let) (\w+)", script, flags=re.MULTILINE)
    assert len(names) > 15
    assert sorted(names) == sorted(set(names))
