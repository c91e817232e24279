"""The drawn mutations change one line of a function's body, and leave alone what no number depends on."""

import ast
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from workspace import ROOT

SOURCE = '''
"""Adds, or not: 1 + 1."""
LIMIT = 1 + 1


def total(values: list[int] | None, start: int = 3) -> int:
    """Adds: 2 + 2."""
    assert start > 2
    if values is None:
        raise ValueError(f"{start + 4} is not enough")
    result: int | None = max(start, sum(values, start=start)) if not start < 5 else values[:7]
    return result
'''
EXPECTED = {
    "if values is not None:",
    "result: int | None = min(start, sum(values, start=start)) if not start < 5 else values[:7]",
    "result: int | None = max(start, sum(values)) if not start < 5 else values[:7]",
    "result: int | None = values[:7] if not start < 5 else max(start, sum(values, start=start))",
    "result: int | None = max(start, sum(values, start=start)) if start < 5 else values[:7]",
    "result: int | None = max(start, sum(values, start=start)) if not start <= 5 else values[:7]",
    "result: int | None = max(start, sum(values, start=start)) if not start > 5 else values[:7]",
    "result: int | None = max(start, sum(values, start=start)) if not start < 6 else values[:7]",
    "result: int | None = max(start, sum(values, start=start)) if not start < 5 else values[:8]",
    "result: int | None = max(start, sum(values, start=start)) if not start < 5 else values[7:]",
}


@pytest.fixture
def candidates(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks" / "mutations"))
    return importlib.import_module("candidates")


def test_each_change_of_an_expression_is_found_and_no_docstring_annotation_or_error_is_touched(
    candidates: ModuleType,
) -> None:
    assert {mutation.after for mutation in candidates.mutations_of("a.py", SOURCE)} == EXPECTED


def test_a_mutation_changes_its_line_alone(candidates: ModuleType) -> None:
    for mutation in candidates.mutations_of("a.py", SOURCE):
        before, after = SOURCE.splitlines(), candidates.mutated(SOURCE, mutation.line, mutation.after).splitlines()
        assert [k for k, line in enumerate(before) if line != after[k]] == [mutation.line - 1]
        assert before[mutation.line - 1].strip() == mutation.before
        ast.parse("\n".join(after))


@pytest.mark.slow
def test_a_seed_draws_the_same_mutations_of_different_lines_of_all_rooms(
    candidates: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = importlib.import_module("study")
    rooms = {name: study.ROOMS[name] for name in ("statistics", "fingerprint", "curation")}
    monkeypatch.setattr(study, "ROOMS", rooms)
    drawn = study.drawn(12, seed=1)
    assert drawn == study.drawn(12, seed=1)
    assert drawn != study.drawn(12, seed=2)
    assert len({(mutation.file, mutation.line) for mutation in drawn}) == 12
    assert [mutation.file.rpartition("/")[2] for mutation in drawn[:2]] == ["statistics.py", "fingerprint.py"]
    for name in ("study", "trial", "candidates"):
        sys.modules.pop(name, None)


@pytest.fixture
def plugins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A small project with a test whose name follows from a value, and one that fails; the plugins are at hand."""
    folder = ROOT / "benchmarks" / "mutations"
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(folder), str(tmp_path / "workflow_scripts")]))
    (tmp_path / "workflow_scripts").mkdir()
    (tmp_path / "workflow_scripts" / "small.py").write_text("def one():\n    return 1\n")
    (tmp_path / "test_small.py").write_text(
        "import pytest\nfrom small import one\n\n@pytest.mark.parametrize('found', [one()])\ndef test_one(found):\n"
        "    assert found == 1\n\ndef test_other():\n    assert False\n"
    )
    return tmp_path


def run_pytest(folder: Path, plugin: str, **variables: str) -> str:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", plugin, "test_small.py"]
    environment = {**os.environ, **variables, "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False).stdout


def test_what_a_file_of_tests_calls_while_it_is_imported_counts_for_its_tests(plugins: Path) -> None:
    run_pytest(plugins, "reach", HEFT_REACH=str(plugins / "reach.json"))
    reach = json.loads((plugins / "reach.json").read_text())
    assert {name: facts["lines"] for name, facts in reach.items()} == {
        "test_small.py::test_one[1]": {"small.py": [1, 2]},
        "test_small.py::test_other": {"small.py": [1, 2]},
    }
    assert [facts["passed"] for facts in reach.values()] == [True, False]


def test_a_test_whose_name_a_mutation_changes_is_asked(plugins: Path) -> None:
    (plugins / "asked.txt").write_text("test_small.py::test_one[1]\n-test_small.py::test_other")
    assert "1 passed" in run_pytest(plugins, "asked", HEFT_ASKED=str(plugins / "asked.txt"))
    (plugins / "workflow_scripts" / "small.py").write_text("def one():\n    return 2\n")
    said = run_pytest(plugins, "asked", HEFT_ASKED=str(plugins / "asked.txt"))
    assert "FAILED test_small.py::test_one[2]" in said
    assert "1 failed" in said
