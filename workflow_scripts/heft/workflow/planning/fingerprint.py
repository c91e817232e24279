"""Fingerprints of code: {module: hash} of what a stage runs, so that an edit reruns the stage and a comment does not.

A module's hash is over its parsed text without docstrings, as `ast.unparse` writes it: comments, docstrings, layout
and a `touch` leave it as it is. Imports are followed transitively within the project, to the module that defines a
name; those of a person's own module also to the files beside it, and to the versions of installed packages. Modules
that no number depends on are left out (`WITHOUT_NUMBERS`): an edit of the workflow, or of a sentence, reruns nothing.
"""

import ast
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.metadata import packages_distributions, version
from pathlib import Path

from heft.own_module import module_roots

PACKAGE_ROOT = Path(__file__).parents[3]
NUMERIC_PACKAGES = ("numpy", "torch", "torchvision")
# Modules, and rooms with all that is in them, that only plan, say sentences, or move bytes: they are not followed.
WITHOUT_NUMBERS = (
    "heft.workflow",
    "heft.errors",
    "heft.faults",
    "heft.artifacts",
    "heft.atomic_files",
    "heft.checksum",
    "heft.scoring.memory",
)
# What is followed all the same: it reads files back as what numbers are made of.
WITH_NUMBERS = "heft.workflow.results"


def fingerprint(*files: Path, packages: Iterable[str] = NUMERIC_PACKAGES) -> dict[str, str]:
    """{module or file name: hash} of `files` and of the modules that they import, and the packages' versions.

    A file that is not Python, such as a template, is hashed as it is.
    """
    reached = _reached(files)
    hashes = {name: _hash(file) for name, file in reached.items()}
    versions = {package: version(package) for package in packages}
    for file in reached.values():
        versions |= _installed(file)
    return dict(sorted(hashes.items())) | dict(sorted(versions.items()))


def imported_modules(file: Path) -> dict[str, Path]:
    """The modules of the project, or of a person, that a file imports itself, by name; imports for type checkers alone
    do not count."""
    if file.suffix != ".py":
        return {}
    roots = _roots_of(file)
    names = _imported_names(file, _modified(file), roots)
    if len(roots) > 1:  # Python runs the packages around a person's module too
        around = [package for name in (_dotted(file, roots), *names) for package in _packages_around(name)]
        names = tuple(dict.fromkeys((*names, *around)))
    return {name: found for name in names if (found := _file_of(name, roots))}


def has_numbers(module: str) -> bool:
    """Whether numbers may depend on a module."""
    return _is_in(module, WITH_NUMBERS) or not any(_is_in(module, room) for room in WITHOUT_NUMBERS)


def _is_in(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")


def _reached(files: Iterable[Path]) -> dict[str, Path]:
    reached: dict[str, Path] = {}
    waiting = [(_name_of(file), file) for file in files]
    while waiting:
        name, file = waiting.pop()
        if name not in reached:
            reached[name] = file
            waiting += [(module, found) for module, found in imported_modules(file).items() if has_numbers(module)]
    return reached


def _roots_of(file: Path) -> tuple[Path, ...]:
    """Folders in which the modules lie that a file of the project, or of a person, imports."""
    if str(file).startswith(f"{PACKAGE_ROOT}{os.sep}"):  # is_relative_to is slow, and a dry run asks it for each job
        return (PACKAGE_ROOT,)
    return (PACKAGE_ROOT, *module_roots())


def _installed(file: Path) -> dict[str, str]:
    """Versions of the packages that a person's own file imports from elsewhere."""
    roots = _roots_of(file)
    if len(roots) == 1 or file.suffix != ".py":
        return {}
    names = {name.partition(".")[0] for name in _imported_names(file, _modified(file), roots)}
    names -= {*sys.stdlib_module_names, *NUMERIC_PACKAGES}
    names -= {name for name in names if _file_of(name, roots)}
    found = {package for name in names for package in _distributions().get(name, ())}
    return {package: version(package) for package in found}


@cache
def _distributions() -> dict[str, list[str]]:
    return dict(packages_distributions())


def _packages_around(module: str) -> list[str]:
    parts = module.split(".")
    return [".".join(parts[:n]) for n in range(1, len(parts))]


def _hash(file: Path) -> str:
    return _hash_of_version(file, _modified(file))


@cache
def _hash_of_version(file: Path, _modified: int) -> str:
    if file.suffix != ".py":
        return hashlib.sha256(file.read_bytes()).hexdigest()[:12]
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and ast.get_docstring(node) is not None
        ):
            node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()[:12]


@cache
def _imported_names(file: Path, _modified: int, roots: Sequence[Path]) -> tuple[str, ...]:
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    names: list[str] = []
    for node in _runtime_nodes(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = _absolute(file, node, roots)
            names += [_defining_module(module, alias.name, roots) for alias in node.names]
    return tuple(dict.fromkeys(names))


def _absolute(file: Path, node: ast.ImportFrom, roots: Sequence[Path]) -> str:
    """The module of `from module import ...`, also where it begins with dots."""
    if node.level == 0:
        return node.module or ""
    package = _dotted(file, roots).split(".")[: -node.level]
    return ".".join([*package, *([node.module] if node.module else [])])


def _dotted(file: Path, roots: Sequence[Path]) -> str:
    """`package.module`; of a package itself `package.__init__`, which lies as deep as its modules."""
    root = next((root for root in roots if file.is_relative_to(root)), file.parent)
    return ".".join(file.relative_to(root).with_suffix("").parts)


def _runtime_nodes(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            continue
        yield child
        yield from _runtime_nodes(child)


def _defining_module(module: str, name: str, roots: Sequence[Path]) -> str:
    """`module.name` where that is a module, the module that `module`'s package takes `name` from, or `module`."""
    if _file_of(f"{module}.{name}", roots):
        return f"{module}.{name}"
    file = _file_of(module, roots)
    if file is not None and file.name == "__init__.py":
        for node in ast.parse(file.read_text(encoding="utf-8"), str(file)).body:
            if isinstance(node, ast.ImportFrom) and any((alias.asname or alias.name) == name for alias in node.names):
                return _defining_module(_absolute(file, node, roots), name, roots)
    return module


def _file_of(module: str, roots: Sequence[Path]) -> Path | None:
    for root in roots if module else ():
        stem = root.joinpath(*module.split("."))
        for file in (stem.with_suffix(".py"), stem / "__init__.py"):
            if file.is_file():
                return file
    return None


def _name_of(file: Path) -> str:
    if file.suffix == ".py" and file.is_relative_to(PACKAGE_ROOT / "heft"):
        return ".".join(file.relative_to(PACKAGE_ROOT).with_suffix("").parts)
    return file.name


def _modified(file: Path) -> int:
    return file.stat().st_mtime_ns
