"""Reads what a file declares of a function or a class, from its parsed text, without importing it.

The decorator's keywords are literals. The keyword-only parameters of the function, or of the class's `__init__`, are
its options. A person's own function that needs no decorator may take its options by position too.
"""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from heft.options import Option, checked_options
from heft.own_module import import_own
from heft.rooms import DECORATORS, PACKAGE, UNDECORATED
from heft.signatures import Definition, Unreadable, read_fields, read_signature, shared_options


@dataclass(frozen=True)
class Declaration:
    """What a file declares about the function, or the class, that it registers.

    name: the file's, or `package.module:function` of a person's own. defined: its name in the file. line: where the
    decorator stands, or the function. details: its own docstring. takes_any_option: more than those that can be read.
    shared: names of those options that are not its own, but of all of the room.
    """

    name: str
    defined: str
    room: str
    module: str
    file: Path
    docstring: str
    details: str
    fields: dict[str, Any]
    options: dict[str, Option]
    line: int = 1
    takes_any_option: bool = False
    shared: tuple[str, ...] = ()

    @property
    def word(self) -> str:
        """What it is, in a sentence: `method`."""
        return DECORATORS[self.room]

    @property
    def summary(self) -> str:
        """The first line of the file's docstring without the name in front."""
        return self.docstring.partition("\n")[0].removeprefix(f"{self.name}: ")

    def value_of(self, name: str, options: Mapping[str, Any]) -> Any:
        """The option's value in `options`, or its default."""
        return options.get(name, self.options[name].default)

    def changed_options(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Those of `options` that are not at their default."""
        known = self.options
        return {key: value for key, value in options.items() if key not in known or not known[key].is_default(value)}

    def load(self) -> Any:
        """Imports the file and returns the function, or the class."""
        if ":" in self.name:
            return import_own(self.name, self.word)
        return getattr(_import(self.module, self.file), self.defined)

    def configured(self, options: Mapping[str, Any]) -> partial[Any]:
        """The function with those of these options that are not shared; raises HeftError where one is not known, or out
        of range."""
        checked = checked_options(self, options)
        return partial(self.load(), **{name: value for name, value in checked.items() if name not in self.shared})


def read_declaration(file: Path, room: str) -> Declaration | None:
    """The declaration in a file of a room, or None where nothing carries the room's decorator.

    Raises ValueError, with the file and the line, where the name is not the file's, a keyword is no literal or not one
    of the decorator, or an option has a type that cannot be read or a default that its type does not allow.
    """
    return _read_declaration(file, room, file.stat().st_mtime_ns)


@cache
def _read_declaration(file: Path, room: str, _modified: int) -> Declaration | None:
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    for node in tree.body:
        if isinstance(node, Definition) and (decorator := _decorator(node, room)):
            expected = file.stem if isinstance(node, ast.FunctionDef) else class_name(file.stem)
            if node.name != expected:
                said = f"the {DECORATORS[room]} is named {node.name}; expected {expected}"
                raise ValueError(f"{file}, line {node.lineno}: {said}")
            module = _module_name(file)
            return _declaration(file, tree, node, decorator, name=file.stem, module=module, room=room)
    return None


def read_own(import_path: str, file: Path, room: str) -> Declaration:
    """The declaration of `package.module:function` in its file; raises ValueError where there is none, as above."""
    return _read_own(import_path, file, room, file.stat().st_mtime_ns)


@cache
def _read_own(import_path: str, file: Path, room: str, _modified: int) -> Declaration:
    module, _, name = import_path.partition(":")
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    definitions = {node.name: node for node in tree.body if isinstance(node, Definition)}  # of equal names the last
    node = definitions.get(name)
    decorator = _decorator(node, room) if node else None
    if node and (decorator or room in UNDECORATED):
        return _declaration(file, tree, node, decorator, name=import_path, module=module, room=room)
    if node:
        raise ValueError(f"{file}, line {node.lineno}: {name} must carry @{DECORATORS[room]}(...)")
    if room in UNDECORATED and _may_bind(tree, name):
        docstring = ast.get_docstring(tree) or ""
        options = shared_options(room)
        return Declaration(
            *(import_path, name, room, module, file, docstring, "", {}, options),
            takes_any_option=True,
            shared=tuple(options),
        )
    raise ValueError(f"{file} has no {name}; it has: {', '.join(definitions) or 'nothing'}")


def class_name(name: str) -> str:
    """The class that a file of that name registers: fine_tunes -> FineTunes."""
    return "".join(word.capitalize() for word in name.split("_"))


def _declaration(
    file: Path, tree: ast.Module, node: Definition, decorator: ast.Call | None, *, name: str, module: str, room: str
) -> Declaration:
    try:
        signature = read_signature(node, room, decorated=decorator is not None)
        fields = read_fields(decorator, room) if decorator else {}
    except Unreadable as error:
        raise ValueError(f"{file}, line {error.line}: {error}") from error
    shared = {key: option for key, option in shared_options(room).items() if key not in signature.options}
    return Declaration(
        name=name,
        defined=node.name,
        room=room,
        module=module,
        file=file,
        docstring=ast.get_docstring(tree) or ast.get_docstring(node) or "",
        details=ast.get_docstring(node) or "",
        fields=fields,
        options={**signature.options, **shared},
        line=(decorator or node).lineno,
        takes_any_option=signature.takes_any_option,
        shared=tuple(shared),
    )


def _decorator(node: Definition, room: str) -> ast.Call | None:
    """The room's decorator of a function or a class, if it carries it."""
    calls = (decorator for decorator in node.decorator_list if isinstance(decorator, ast.Call))
    return next((call for call in calls if ast.unparse(call.func) == DECORATORS[room]), None)


def _may_bind(tree: ast.Module, name: str) -> bool:
    """Whether a module may have a name that no function or class in it has: by import, assignment, or computed."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == name:
            return True
        if isinstance(node, ast.Import | ast.ImportFrom):
            if {"*", name} & {alias.asname or alias.name for alias in node.names}:
                return True
        elif isinstance(node, ast.FunctionDef) and node.name in ("__getattr__", name):
            return True
    return False


def _module_name(file: Path) -> str:
    if file.is_relative_to(PACKAGE):
        return ".".join(["heft", *file.relative_to(PACKAGE).with_suffix("").parts])
    return f"heft_extension_{file.stem}"


def _import(module: str, file: Path) -> Any:
    if module.startswith("heft."):
        return importlib.import_module(module)
    specification = importlib.util.spec_from_file_location(module, file)
    if specification is None or specification.loader is None:
        raise ImportError(f"{file} cannot be imported")
    loaded = importlib.util.module_from_spec(specification)
    sys.modules[module] = loaded
    specification.loader.exec_module(loaded)
    return loaded
