"""Widgets are joined from their files by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from resnet_demo.ui import widget as module


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
