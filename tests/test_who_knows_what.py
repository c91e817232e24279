"""Which packages the rooms know: torch, MLflow, Snakemake; and which stage sees the test split."""

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from house import (
    LIBRARY,
    ROOT,
    SNAKEFILES,
    STAGES,
    files_of_import,
    imported_at_once,
    imported_packages,
    modules,
    packages_at_once,
    room_of,
)

KERNELS_IMPORT = {
    *("torch", "collections", "math", "typing", "dataclasses", "functools", "contextlib", "time", "fnmatch"),
    *("copy", "enum", "weakref", "warnings", "heft"),
}


HEAVY = {"torch", "torchvision", "mlflow", "seaborn", "matplotlib", "sklearn"}


def test_kernels_know_only_torch() -> None:
    files = list((LIBRARY / "kernels").rglob("*.py"))
    assert len(files) > 20
    for file in files:
        assert imported_packages(file) <= KERNELS_IMPORT, file.name


def test_only_tracking_imports_mlflow() -> None:
    users = [file for file in [*modules(), *STAGES] if "mlflow" in imported_packages(file)]
    assert {file.parent for file in users} == {LIBRARY / "workflow" / "tracking"}


def test_only_the_workflow_knows_snakemake() -> None:
    """Neither as a package, nor by the name that Snakemake puts into its scripts."""
    users = [file for file in modules() if knows_snakemake(file)]
    assert users
    assert [file for file in users if not room_of(file).startswith("workflow/")] == []


def knows_snakemake(file: Path) -> bool:
    nodes = list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    names = {node.id for node in nodes if isinstance(node, ast.Name)} | imported_packages(file)
    return "snakemake" in names or any(text.startswith("snakemake") for text in texts)


def test_nothing_in_heft_imports_a_stage_script() -> None:
    stages = {file.stem for file in STAGES}
    assert {"prepare", "train", "report"} <= stages
    for file in modules():
        assert not stages & imported_packages(file), file


def test_the_snakefile_imports_no_torch_mlflow_or_plots() -> None:
    waiting: list[Path] = []
    for file in SNAKEFILES:
        for line in re.findall(r"^(?:from|import) heft.*", file.read_text(encoding="utf-8"), re.MULTILINE):
            (node,) = ast.parse(line).body
            assert isinstance(node, ast.ImportFrom), line
            waiting += [path for alias in node.names for path in files_of_import(str(node.module), alias.name)]
    reached: set[Path] = set()
    assert LIBRARY / "workflow" / "planning" / "plan.py" in waiting
    while waiting:
        file = waiting.pop()
        if file not in reached:
            reached.add(file)
            waiting += imported_at_once(file)
    assert {file.name: heavy for file in reached if (heavy := packages_at_once(file) & HEAVY)} == {}


def test_only_evaluate_declares_the_test_split_as_input() -> None:
    readers = []
    for file in sorted((ROOT / "rules").glob("*.smk")):
        for block in re.split(r"\n(?=rule |checkpoint )", file.read_text(encoding="utf-8")):
            inputs = block.partition("input:")[2].partition("output:")[0]
            if "split/test.parquet" in inputs or "split/{" in inputs:
                readers.append(block.partition(":")[0].strip())
    assert readers == ["rule evaluate"]
    openers = [
        file.stem for file in STAGES if 'job.input["test"]' in file.read_text() or "job.input.test" in file.read_text()
    ]
    assert openers == []
    assert '"test"' in (ROOT / "workflow_scripts" / "evaluate.py").read_text()


def test_no_gitignore_pattern_swallows_a_room() -> None:
    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout")
    files = [str(file.relative_to(ROOT)) for file in [*modules(), *STAGES]]
    command = ["git", "check-ignore", "--no-index", *files]
    answer = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (answer.returncode, answer.stdout) == (1, ""), answer.stderr  # 1: none is ignored
