"""The project around the code: the README keeps its promises, and the lists of packages are exact."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from resnet_demo.__main__ import COMMANDS, parser

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
IMPORT_NAMES = {"pillow": "PIL", "huggingface-hub": "huggingface_hub", "pillow-heif": "pillow_heif"}
NOT_ASKED_FOR = {
    "spaces",  # there on a Space's ZeroGPU, looked for and done without elsewhere
    "fastapi", "starlette", "uvicorn", "python_multipart",  # gradio's own, and pinned with it
}  # fmt: skip


def requirements(name: str) -> dict[str, str]:
    """Package -> what is asked of its version."""
    lines = [line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    pairs = [re.fullmatch(r"([a-z0-9-]+)(.*)", line) for line in lines if line and not line.startswith("-r")]
    return {pair[1]: pair[2] for pair in pairs if pair}


def code_blocks() -> list[str]:
    return re.findall(r"```sh\n(.*?)\n```", README, re.DOTALL)


def front_matter() -> dict[str, object]:
    content = yaml.safe_load(README.split("---\n")[1])
    assert isinstance(content, dict)
    return content


def test_the_front_matter_is_what_a_gradio_space_needs() -> None:
    space = front_matter()
    assert space["sdk"] == "gradio"
    assert (ROOT / str(space["app_file"])).is_file()
    assert f"=={space['sdk_version']}" == requirements("requirements.txt")["gradio"]
    assert space["license"] == "apache-2.0"
    assert str(space["python_version"]) in {"3.10", "3.12"}  # what ZeroGPU has
    assert len(str(space["short_description"])) <= 60
    assert {space["colorFrom"], space["colorTo"]} <= {"red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray"}


def test_the_two_commands_stand_on_the_first_screen_and_name_what_is_there() -> None:
    start, check = code_blocks()
    assert start.endswith(" app.py") and "-r requirements.txt" in start
    assert check.endswith(" -m pytest") and "-r requirements-dev.txt" in check
    assert README.split("---\n", 2)[2].index(check) < 1500


def test_the_whole_check_calls_the_readmes_test_command() -> None:
    _, check = code_blocks()
    lines = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line]
    assert lines[-1] == check


def test_every_command_is_in_the_readme_and_every_command_there_exists() -> None:
    described = re.findall(r"^\| `([a-z]+)", README, re.MULTILINE)
    assert described == list(dict.fromkeys(described))
    assert set(described) == {command.__name__.rpartition(".")[2].rstrip("_") for command in COMMANDS}
    for name in described:
        with pytest.raises(SystemExit) as left:
            parser().parse_args([name, "--help"])
        assert left.value.code == 0


@pytest.mark.parametrize("row", re.findall(r"^\| `([a-z]+ .*?)` \|", README, re.MULTILINE))
def test_the_readmes_options_exist(row: str) -> None:
    (file,) = (path for path in (ROOT / "resnet_demo" / "commands").glob("*.py") if path.stem.rstrip("_") == row.split()[0])
    source = file.read_text()
    derived = {"compare": {"--depth", "--steps", "--seed"}, "transfer": {"--base", "--data"}}  # made from settings classes
    options = set(re.findall(r"--[a-z-]+", row)) - derived.get(row.split()[0], set())
    assert not [option for option in options if f'"{option}"' not in source]


def listed_files() -> set[str]:
    """The paths of the README's file tree: two spaces a level, a name first, or a line of names only."""
    tree = README.split("## The files")[1].split("```")[1]
    found: set[str] = set()
    folders = [""]
    for line in filter(str.strip, tree.splitlines()):
        words = line.split()
        depth = (len(line) - len(line.lstrip())) // 2
        folders = folders[: depth + 1]
        names = words if all(word.endswith(".py") for word in words) else words[:1]
        found |= {folders[depth] + name for name in names}
        if words[0].endswith("/"):
            folders.append(folders[depth] + words[0])
    return found


def test_the_readmes_file_tree_is_the_tree() -> None:
    listed = listed_files()
    assert not [path for path in listed if not (ROOT / path).exists()]
    ours = {path.relative_to(ROOT).as_posix() for path in (ROOT / "resnet_demo").rglob("*.py") if path.name != "__init__.py"}
    assert not ours - listed


def third_party_imports(*files: Path) -> set[str]:
    names = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module.split(".")[0])
    return names - set(sys.stdlib_module_names) - {"resnet_demo", "app"}


def test_requirements_name_what_the_app_imports_and_nothing_else() -> None:
    files = [path for path in (ROOT / "resnet_demo").rglob("*.py") if path.name != "make_examples.py"]
    needed = third_party_imports(ROOT / "app.py", *files) - NOT_ASKED_FOR
    named = {IMPORT_NAMES.get(name, name) for name in requirements("requirements.txt")}
    assert named == needed


def test_only_gradio_is_pinned_to_one_version_of_what_runs() -> None:
    """A Space installs that very gradio; everything else is a range, so that it fits what is already there."""
    pinned = [name for name, version in requirements("requirements.txt").items() if not version.startswith(">=")]
    assert pinned == ["gradio"]


REPORT = {"dependencies": [
    {"name": "pillow", "version": "1.0", "vulns": [{"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["1.1"]}]},
    {"name": "torch", "skip_reason": "not on PyPI"},
]}  # fmt: skip


@pytest.mark.parametrize(
    ("report", "status", "verdict"),
    [
        (None, 0, "pip-audit: NOT REACHABLE, nothing was checked: ['no route']"),
        (REPORT, 1, "pip-audit: VULNERABLE: pillow 1.0, PYSEC-1; mended in: 1.1"),
        (
            {"dependencies": [{"name": "pillow", "version": "2.0", "vulns": []}]},
            0,
            "pip-audit: no vulnerability is known of 1 packages",
        ),
        (
            {"dependencies": [{"name": "pillow", "skip_reason": "not found"}]},
            0,
            "pip-audit: NOT REACHABLE, nothing was checked: none of the 1 packages could be looked up",
        ),
    ],
)
def test_the_check_tells_vulnerable_from_not_reachable(tmp_path: Path, report: object, status: int, verdict: str) -> None:
    writes = (
        f"Path(sys.argv[sys.argv.index('--output') + 1]).write_text({json.dumps(report)!r})"
        if report
        else "sys.exit('no route')"
    )
    (tmp_path / "pip_audit.py").write_text(f"import sys\nfrom pathlib import Path\n{writes}\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, ROOT / ".ci" / "audit"], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == status
    assert done.stdout.startswith(verdict)


def test_the_licence_is_apache_2() -> None:
    text = (ROOT / "LICENSE").read_text()
    assert "Apache License\n" in text and "Version 2.0, January 2004" in text
    assert "END OF TERMS AND CONDITIONS" in text
