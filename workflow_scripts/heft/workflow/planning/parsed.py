"""What a Python file imports, and a hash of what it does; each version of a file is parsed once."""

import ast
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Import(NamedTuple):
    """`import name` (level 0, no names), or `from module import names`, with `level` dots in front of the module."""

    module: str
    names: tuple[str, ...]
    level: int


class Parsed(NamedTuple):
    """digest: over the text without comments, docstrings and layout.

    imports: what runs, those for type checkers left out. taken: {name: where from}, of `from ... import` at the top.
    """

    digest: str
    imports: tuple[Import, ...]
    taken: dict[str, Import]


def parsed(file: Path) -> Parsed:
    """Reads a file; raises SyntaxError or ValueError if it is no Python."""
    return _parsed(file, file.stat().st_mtime_ns)


@cache
def _parsed(file: Path, _modified: int) -> Parsed:
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    imports = tuple(_imports(tree))
    taken: dict[str, Import] = {}
    for node in tree.body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                taken.setdefault(alias.asname or alias.name, _as_import(node))
    return Parsed(_digest(tree), imports, taken)


def _as_import(node: ast.ImportFrom) -> Import:
    return Import(node.module or "", tuple(alias.name for alias in node.names), node.level)


def _imports(node: ast.AST) -> Iterator[Import]:
    """Those below `node`. Expressions hold none, and are most of a file: they are passed by."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (Import(alias.name, (), 0) for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield _as_import(child)
        elif isinstance(child, ast.If) and ast.unparse(child.test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING"):
            continue
        elif not isinstance(child, ast.expr):
            yield from _imports(child)


def _digest(tree: ast.Module) -> str:
    """Strips the docstrings from `tree`."""
    for node in _with_docstrings(tree):
        if ast.get_docstring(node, clean=False) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return hashlib.sha256(ast.unparse(tree).encode()).hexdigest()[:12]


def _with_docstrings(node: ast.AST) -> Iterator[ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        yield node
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.expr):
            yield from _with_docstrings(child)
