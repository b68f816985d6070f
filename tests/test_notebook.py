"""The notebook runs from its first cell to its last, with networks of depth 8 and two steps in place of 32 and 240."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest

NOTEBOOK = Path(__file__).parent.parent / "notebooks" / "ResNet.ipynb"


def test_every_cell_of_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(NOTEBOOK.parent)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    content = json.loads(NOTEBOOK.read_text())
    assert not [cell for cell in content["cells"] if cell.get("outputs")], "results do not belong in the repository"
    sources = ["".join(cell["source"]) for cell in content["cells"] if cell["cell_type"] == "code"]
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        for number, source in enumerate(sources):
            short = source.replace("depth=32, steps=240, warmup=20", "depth=8, steps=2, warmup=0").replace(
                "residual32", "residual8"
            )
            exec(compile(short, f"cell {number}", "exec"), names)  # the project's own file
    said = printed.getvalue()
    assert "464,154 and 464,154 parameters; equal initial weights: True" in said
    assert "step 2: residual8-s0: test error " in said
    assert len(names["answer"].top(3)) == 3
    assert names["table"]._repr_markdown_() in (NOTEBOOK.parents[1] / "README.md").read_text(encoding="utf-8")
