"""Rule 1 of the design: imports point one way, and heavy libraries are loaded only where they work."""

from __future__ import annotations

import ast
import graphlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "resnet_demo"

# A part may import the parts of the levels before its own, and itself.
LEVELS = (
    {"errors", "words", "colours", "csv_file"},
    {"parsing", "files", "device", "child_process"},
    {"config", "recipes", "hub"},
    {"model"},
    {"data"},
    {"zoo"},
    {"evaluation", "inference"},
    {"training"},
    {"transfer", "paper"},
    {"inside"},
    {"results"},
    {"comparison"},
    {"runs"},
    {"web"},
    {"ui", "commands"},
    {"__main__"},
)
LEVEL = {part: number for number, parts in enumerate(LEVELS) for part in parts}

# Library -> the only places that may import it; a folder stands for the files in it.
ONLY_IN = {
    "gradio": ("ui/",),
    "captum": ("inference/explain.py",),
    "matplotlib": ("results/plots.py",),
}

# Watching a run and reading the list of models must cost nothing: these files, and every file of these folders, load no torch.
LIGHT = (
    "errors.py", "words.py", "parsing.py", "files.py", "child_process.py", "config.py", "recipes.py", "comparison.py",
    "__main__.py", "hub/", "results/", "runs/", "web/", "commands/", "model/cost.py", "data/folders.py", "data/cifar10.py",
    "data/archive.py", "data/picture_room.py", "data/picture_set.py", "data/picture_store.py", "zoo/catalogue.py",
    "transfer/settings.py", "transfer/result.py", "transfer/work.py", "training/events.py", "training/record.py",
    "training/schedule.py", "inference/request.py", "paper/",
    "inside/experiments.py", "inside/request.py", "inside/outcome.py", "inside/shattered.py", "inside/laboratory.py",
    "inside/stored_outcomes.py",
)  # fmt: skip
HEAVY = ("runs/worker.py", "runs/time_steps.py", "paper/layer_responses.py")  # they train, or compute what ships

FILES = sorted(PACKAGE.rglob("*.py"))


def imported(file: Path) -> Iterator[tuple[ast.stmt, str]]:
    """Every module that a file names in an import, with the statement; `from a import b` names a.b."""
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports here are absolute"
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)


def module_of(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(file): file for file in FILES}


def our_module(name: str) -> str | None:
    """The module of the package that `a.b.c` lies in, itself or as one of its names."""
    while name.startswith("resnet_demo."):
        if name in MODULES:
            return name
        name = name.rpartition(".")[0]
    return None


def part(module: str) -> str:
    return module.split(".")[1]


@pytest.mark.parametrize("file", [file for file in FILES if file != PACKAGE / "__init__.py"], ids=module_of)
def test_imports_point_one_way(file: Path) -> None:
    own = part(module_of(file))
    assert own in LEVEL, f"{own} has no level yet: give it one in this test, and a line in the README's file tree"
    for statement, name in imported(file):
        target = our_module(name)
        if target is not None and part(target) != own:
            where = f"{file.relative_to(ROOT)}:{statement.lineno}"
            assert LEVEL[part(target)] < LEVEL[own], f"{where}: {own} must not import {part(target)}"


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {
        module: {found for _, name in imported(file) if (found := our_module(name)) and found != module}
        for module, file in MODULES.items()
    }
    order = list(graphlib.TopologicalSorter(graph).static_order())  # raises CycleError, which names the circle
    assert len(order) == len(MODULES)


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_heavy_library_is_imported_in_its_own_place_only(library: str) -> None:
    places = {
        file.relative_to(PACKAGE).as_posix() for file in FILES for _, name in imported(file) if name.split(".")[0] == library
    }
    assert not [place for place in places if not place.startswith(ONLY_IN[library])]


def test_pyplot_is_imported_nowhere() -> None:
    """It is one global figure list, not safe between threads."""
    assert not [module_of(file) for file in FILES for _, name in imported(file) if "pyplot" in name]


def test_the_page_leaves_matplotlib_no_backend_to_choose_in_a_request() -> None:
    code = "import resnet_demo.ui.engine, matplotlib; print(matplotlib.get_backend(auto_select=False))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.split() == ["agg"]


def loaded_by(statement: str) -> set[str]:
    """The top-level packages that a fresh interpreter holds after a statement."""
    code = f"{statement}; import sys; print(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120)
    return set(done.stdout.split())


def test_importing_the_package_loads_neither_torch_nor_gradio() -> None:
    loaded = loaded_by("import resnet_demo")
    assert "resnet_demo" in loaded
    assert not loaded & {"torch", "gradio", "captum", "matplotlib", "numpy", "pydantic"}


@pytest.mark.parametrize("place", LIGHT)
def test_watching_a_run_loads_no_torch(place: str) -> None:
    files = {file.relative_to(PACKAGE).as_posix(): module_of(file) for file in FILES}
    modules = [module for name, module in files.items() if name.startswith(place) and name not in HEAVY]
    assert modules, f"{place} is promised by the design"
    loaded = loaded_by(f"import {', '.join(modules)}")
    assert not loaded & {"torch", "torchvision", "gradio", "captum"}


def test_no_file_has_more_than_300_lines() -> None:
    long = {module_of(file): lines for file in FILES if (lines := len(file.read_text().splitlines())) > 300}
    assert not long


def test_a_type_that_is_not_checked_has_its_reason_beside_it() -> None:
    lines = [(module_of(file), line) for file in FILES for line in file.read_text().splitlines() if "# type: ignore" in line]
    assert lines
    assert not [(module, line) for module, line in lines if "#" not in line.split("# type: ignore", 1)[1]]


def test_no_function_is_longer_than_a_screen() -> None:
    long = {
        f"{module_of(file)}.{node.name}": lines
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
        and node.end_lineno is not None
        and (lines := node.end_lineno - node.lineno + 1) > 50
    }
    assert not long


def test_no_folder_holds_more_than_a_fifth_of_the_lines() -> None:
    lines = {file: len(file.read_text().splitlines()) for file in FILES}
    folders = {file.relative_to(PACKAGE).parts[0] for file in FILES if file.parent != PACKAGE}
    shares = {
        name: sum(lines[file] for file in FILES if PACKAGE / name in file.parents) / sum(lines.values()) for name in folders
    }
    assert not {name: share for name, share in shares.items() if share > 0.2}


def test_no_state_is_shared_through_a_closure() -> None:
    assert not [
        module_of(file) for file in FILES for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Nonlocal)
    ]


PARTICIPLES = {
    "told", "said", "asked", "found", "seen", "chosen", "known", "wanted", "given", "begun", "learnt", "judged", "made", "kept",
    "fetched", "shown", "broken",
}  # fmt: skip


def test_no_name_is_a_bare_participle() -> None:
    """Nouns for data, verbs for functions."""
    names = {
        (module_of(file), name.strip("_"))
        for file in FILES
        for node in ast.walk(ast.parse(file.read_text()))
        for name in (
            [node.id] if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)
            else [node.arg] if isinstance(node, ast.arg)
            else [node.name] if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            else []
        )
    }  # fmt: skip
    assert names
    assert not [(module, name) for module, name in names if name in PARTICIPLES]
