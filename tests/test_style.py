"""Snakemake's own linter finds nothing but one known thing; no committed link points out of the project."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
# One pinned environment serves the whole workflow; environment.yml builds it with conda, `make` with pip.
ONE_ENVIRONMENT = "Specify a conda environment or container for each rule."


@pytest.mark.slow
def test_snakemake_lints_nothing_but_the_single_environment() -> None:
    command = [sys.executable, "-m", "snakemake", "--lint"]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lints = re.findall(r"(?m)^    \* (.*):$", answer.stderr + answer.stdout)
    assert set(lints) <= {ONE_ENVIRONMENT}
    assert "Lints for" in answer.stderr or "Congratulations" in answer.stderr


def test_no_symbolic_link_is_committed() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    listed = subprocess.run(["git", "ls-files", "--stage"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = listed.splitlines()
    assert files
    assert [line for line in files if line.startswith("120000")] == []


def patched_names(file: Path) -> list[str]:
    """The names that a test file puts something else in the place of: the last part of each."""
    calls = [node for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    patches = [call for call in calls if ast.unparse(call.func).endswith((".setattr", ".delattr", ".patch"))]
    texts = [arg.value for call in patches for arg in call.args[:2] if isinstance(arg, ast.Constant)]
    return [text.rpartition(".")[2] for text in texts if isinstance(text, str)]


def test_no_test_patches_a_private_name() -> None:
    patched = {file.name: patched_names(file) for file in sorted(ROOT.glob("tests/*.py"))}
    assert sum(map(len, patched.values())) > 50
    assert {name: private for name, names in patched.items() if (private := [x for x in names if x[0] == "_"])} == {}


def test_marks_stand_in_files_of_tests_where_alone_they_count() -> None:
    helpers = [file for file in ROOT.glob("tests/*.py") if not file.name.startswith("test_")]
    assert len(helpers) > 20
    assert [file.name for file in helpers if "pytestmark" in file.read_text(encoding="utf-8")] == []


def prose_of(page: Path) -> list[str]:
    """The lines of a page that are neither code, nor a table, nor a picture, nor a line that is one long word."""
    blocks = re.split(r"(?m)^```.*$", page.read_text(encoding="utf-8"))
    lines = [line for block in blocks[::2] for line in block.splitlines()]
    return [line for line in lines if not line.startswith(("|", "    ", "![")) and " " in line.strip(" *")]


def test_no_line_of_prose_is_longer_than_120_characters() -> None:
    pages = [page for page in ROOT.rglob("*.md") if not {".venv", ".git", "results"} & {*page.parts}]
    assert len(pages) > 40
    assert {page.name: long for page in pages if (long := [line for line in prose_of(page) if len(line) > 120])} == {}


MOST_LINES, MOST_LINES_OF_A_FUNCTION = 200, 40
# Why each of these is longer stands in a comment above it.
LONGER = re.compile(r"# longer: .+")


def too_long(file: Path) -> list[str]:
    """What of a file of Python is longer than a reader takes in at once, and does not say why."""
    text = file.read_text(encoding="utf-8")
    lines = text.splitlines()
    sentences = [f"{file.name} has {len(lines)} lines"] if len(lines) > MOST_LINES else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            n_lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if n_lines > MOST_LINES_OF_A_FUNCTION and not LONGER.match(lines[first - 2].strip()):
                sentences.append(f"{file.name}: {node.name} has {n_lines} lines")
    return sentences


def test_no_file_is_longer_than_200_lines_and_no_function_than_40() -> None:
    folders = ("workflow_scripts", "tests", "benchmarks", "docs")
    files = [file for folder in folders for file in sorted((ROOT / folder).rglob("*.py"))]
    assert len(files) > 400
    assert [said for file in files for said in too_long(file)] == []
