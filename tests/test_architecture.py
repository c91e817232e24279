"""Who may import whom, as docs/architecture.md says it; read from the parsed files without importing them."""

import ast
from pathlib import Path

import pytest

from heft.workflow.planning.fingerprint import imported_modules

ROOT = Path(__file__).parent.parent
LIBRARY = ROOT / "workflow_scripts" / "heft"
STAGES = sorted(ROOT.glob("workflow_scripts/*.py"))

# room -> rooms of the library that it may import, beside itself and FOUNDATION
FOUNDATION = {"errors", "faults", "artifacts", "atomic_files", "checksum", "registry", "settings"}
MAY_IMPORT = {
    "kernels": set(),
    "objectives": {"kernels"},
    "methods": {"kernels", "objectives", "logits"},
    "models": {"own_module"},
    "data": {"training"},  # settings and the seeds of its random streams
    "training": {"data", "models", "logits"},
    "curation": {"variants", "data", "models", "training"},
    "baselines": {"data", "models", "training"},
    "reporting": {"statistics", "comparison", "variants", "tracking_links"},
}
MAY_IMPORT_PACKAGES = {
    "kernels": {
        *("torch", "collections", "math", "typing", "dataclasses", "functools", "contextlib", "time", "fnmatch"),
        *("copy", "enum", "weakref"),
    }
}


def room_of(file: Path) -> str:
    """The folder or file of the library: `methods` for heft/methods/ip.py, `seeds` for heft/seeds.py."""
    return file.relative_to(LIBRARY).parts[0].removesuffix(".py")


def modules() -> list[Path]:
    return sorted(file for file in LIBRARY.rglob("*.py") if file.name != "__init__.py")


def imported_packages(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


@pytest.mark.parametrize("file", modules(), ids=lambda file: file.relative_to(LIBRARY).as_posix())
def test_each_room_imports_only_what_it_may(file: Path) -> None:
    room = room_of(file)
    if room not in MAY_IMPORT:
        return
    imported = {room_of(found) for found in imported_modules(file).values() if found.is_relative_to(LIBRARY)}
    assert imported - {room} <= MAY_IMPORT[room] | FOUNDATION, f"{file.name} of {room} imports {imported}"


def test_no_method_imports_another_method() -> None:
    helpers = {"registry.py", "context.py"}
    for file in (LIBRARY / "methods").glob("*.py"):
        siblings = {found.name for found in imported_modules(file).values() if found.parent == LIBRARY / "methods"}
        assert siblings <= helpers | {"__init__.py"}, f"{file.name} imports {siblings}"


def test_kernels_know_only_torch() -> None:
    for file in (LIBRARY / "kernels").glob("*.py"):
        assert imported_packages(file) <= MAY_IMPORT_PACKAGES["kernels"] | {"heft"}, file.name


def test_only_tracking_imports_mlflow() -> None:
    everywhere = [*modules(), *STAGES]
    assert {file.name for file in everywhere if "mlflow" in imported_packages(file)} == {"tracking.py"}


def test_only_the_workflow_knows_snakemake() -> None:
    assert [file.name for file in modules() if "snakemake" in imported_packages(file)] == []


def test_nothing_in_the_library_imports_a_stage_script() -> None:
    stages = {file.stem for file in STAGES}
    for file in modules():
        assert not stages & imported_packages(file), file


def test_imports_have_no_cycle() -> None:
    graph = {file: set(imported_modules(file).values()) for file in modules()}
    done: set[Path] = set()

    def visit(file: Path, path: tuple[Path, ...]) -> None:
        assert file not in path, " -> ".join(step.name for step in [*path, file])
        if file not in done:
            for found in graph.get(file, set()):
                visit(found, (*path, file))
            done.add(file)

    for file in graph:
        visit(file, ())


def test_the_snakefile_imports_no_torch_mlflow_or_plots() -> None:
    waiting, reached = [LIBRARY / "plan.py", LIBRARY / "session.py"], set()
    while waiting:
        file = waiting.pop()
        if file not in reached:
            reached.add(file)
            waiting += imported_modules(file).values()
    heavy = {"torch", "torchvision", "mlflow", "seaborn", "matplotlib", "sklearn"}
    assert {file.name: found for file in reached if (found := imported_packages(file) & heavy)} == {}


def test_the_architecture_page_names_every_room() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text()
    rooms = {room_of(file) for file in modules()}
    missing = [room for room in sorted(rooms) if f"`{room}/`" not in page and f"`{room}.py`" not in page]
    assert missing == []


def test_only_evaluate_declares_the_test_split_as_input() -> None:
    import re

    readers = []
    for file in sorted((ROOT / "rules").glob("*.smk")):
        for block in re.split(r"\n(?=rule |checkpoint )", file.read_text()):
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
    import shutil
    import subprocess

    if not (ROOT / ".git").exists() or not shutil.which("git"):
        pytest.skip("not a git checkout")
    files = [str(file.relative_to(ROOT)) for file in [*modules(), *STAGES]]
    answer = subprocess.run(["git", "check-ignore", *files], cwd=ROOT, capture_output=True, text=True, check=False)
    assert answer.stdout == ""
