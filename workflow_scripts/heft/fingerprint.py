"""Fingerprints of code: {module: hash} of what a stage runs, so that an edit reruns the stage and a comment does not.

A module's hash is over its parsed text without docstrings, as `ast.unparse` writes it: comments, docstrings, layout
and a `touch` leave it as it is. Imports are followed transitively within the project, to the module that defines a
name.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

PACKAGE_ROOT = Path(__file__).parent.parent
NUMERIC_PACKAGES = ("numpy", "torch", "torchvision")


def fingerprint(*files: Path, packages: Iterable[str] = NUMERIC_PACKAGES) -> dict[str, str]:
    """{module or file name: hash} of `files` and of the project modules that they import, and the packages' versions.

    A file that is not Python, such as a template, is hashed as it is.
    """
    hashes = {name: _hash(file) for name, file in _reached(files).items()}
    return dict(sorted(hashes.items())) | {package: version(package) for package in packages}


def imported_modules(file: Path) -> dict[str, Path]:
    """The project modules that a file imports itself, by name; imports for type checkers alone do not count."""
    if file.suffix != ".py":
        return {}
    return {name: found for name in _imported_names(file, _modified(file)) if (found := _file_of(name))}


def _reached(files: Iterable[Path]) -> dict[str, Path]:
    reached: dict[str, Path] = {}
    waiting = [(_name_of(file), file) for file in files]
    while waiting:
        name, file = waiting.pop()
        if name not in reached:
            reached[name] = file
            waiting += imported_modules(file).items()
    return reached


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
def _imported_names(file: Path, _modified: int) -> tuple[str, ...]:
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    names: list[str] = []
    for node in _runtime_nodes(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names += [_defining_module(node.module, alias.name) for alias in node.names]
    return tuple(dict.fromkeys(names))


def _runtime_nodes(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            continue
        yield child
        yield from _runtime_nodes(child)


def _defining_module(module: str, name: str) -> str:
    """`module.name` where that is a module, the module that `module`'s package takes `name` from, or `module`."""
    if _file_of(f"{module}.{name}"):
        return f"{module}.{name}"
    file = _file_of(module)
    if file is not None and file.name == "__init__.py":
        for node in ast.parse(file.read_text(encoding="utf-8"), str(file)).body:
            if (
                isinstance(node, ast.ImportFrom)
                and node.module
                and any((alias.asname or alias.name) == name for alias in node.names)
            ):
                return _defining_module(node.module, name)
    return module


def _file_of(module: str) -> Path | None:
    stem = PACKAGE_ROOT.joinpath(*module.split("."))
    return next((file for file in (stem.with_suffix(".py"), stem / "__init__.py") if file.is_file()), None)


def _name_of(file: Path) -> str:
    if file.suffix == ".py" and file.is_relative_to(PACKAGE_ROOT / "heft"):
        return ".".join(file.relative_to(PACKAGE_ROOT).with_suffix("").parts)
    return file.name


def _modified(file: Path) -> int:
    return file.stat().st_mtime_ns
