"""What the files of the house import, read from the parsed files without importing them."""

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path

from heft.workflow.planning.fingerprint import Look

ROOT = Path(__file__).parent.parent
LIBRARY = ROOT / "workflow_scripts" / "heft"
STAGES = sorted(ROOT.glob("workflow_scripts/*.py"))
WORKFLOW_INIT = LIBRARY / "workflow" / "__init__.py"
LOOK = Look()
SNAKEFILES = [ROOT / "Snakefile", *sorted(ROOT.glob("rules/*.smk"))]


def room_of(file: Path) -> str:
    """`methods` for heft/methods/ip.py, `seeds` for heft/seeds.py, `workflow/planning` for a file of that folder."""
    parts = file.relative_to(LIBRARY).with_suffix("").parts
    return "/".join(parts[:2]) if parts[0] == "workflow" else parts[0]


def modules() -> list[Path]:
    return sorted(file for file in LIBRARY.rglob("*.py") if file not in (LIBRARY / "__init__.py", WORKFLOW_INIT))


def imports_of(file: Path) -> set[Path]:
    """The files of the library, and of the workflow, that a file imports."""
    return {imported for imported in LOOK.imported_modules(file).values() if imported.is_relative_to(LIBRARY)}


def imported_packages(file: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def circle(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """Names that lead back to where they begin; empty where no circle is."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        for following in () if name in done else sorted(graph.get(name, ())):
            if cycle := visit(following, [*path, name]):
                return cycle
        done.add(name)
        return []

    return next((cycle for name in sorted(graph) if (cycle := visit(name, []))), [])


def imports_side_by_side(folder: Path) -> dict[str, set[str]]:
    """{file or folder in `folder`: those beside it that it imports}."""
    graph: dict[str, set[str]] = {}
    for file in folder.rglob("*.py"):
        name = file.relative_to(folder).parts[0]
        beside = {
            imported.relative_to(folder).parts[0] for imported in imports_of(file) if imported.is_relative_to(folder)
        }
        graph.setdefault(name, set()).update(beside - {name})
    return graph


def files_of_import(module: str, name: str) -> list[Path]:
    """The files that `from module import name` runs, of heft."""
    stem = LIBRARY.parent.joinpath(*module.split("."))
    around = [LIBRARY.parent.joinpath(*module.split(".")[:n], "__init__.py") for n in range(1, module.count(".") + 2)]
    return [file for file in (*around, stem.with_suffix(".py"), stem / f"{name}.py") if file.is_file()]


def nodes_at_once(file: Path) -> list[ast.stmt]:
    """What runs as a file is imported: its own statements, without those of functions and for type checkers."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]


def packages_at_once(file: Path) -> set[str]:
    nodes = nodes_at_once(file)
    named = {str(node.module) for node in nodes if isinstance(node, ast.ImportFrom)}
    named |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return {name.partition(".")[0] for name in named}


def imported_at_once(file: Path) -> list[Path]:
    return [
        imported
        for node in nodes_at_once(file)
        if isinstance(node, ast.ImportFrom) and str(node.module).partition(".")[0] == "heft"
        for alias in node.names
        for imported in files_of_import(str(node.module), alias.name)
    ]
