"""Finds methods, models, data sources and all else that one file adds, by reading it, without importing torch.

A file is registered if a function or a class in it carries the room's decorator (`@method(...)`, `@model(...)`).
The registered name is the file's, and the function's; a class is named after it: `fine_tunes.py` holds `FineTunes`.
The decorator's keywords are literals. The keyword-only parameters of a function are its options.
"""

import ast
import importlib
import importlib.util
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).parent
# Room -> the decorator that registers a file of it.
DECORATORS = {
    "methods": "method",
    "models": "model",
    "data/sources": "source",
    "data/modalities": "modality",
    "auxiliary": "auxiliary",
    "ensembles": "ensemble",
    "objectives": "objective",
    "curation": "action",
    "baselines": "baseline",
    "evaluation/metrics": "measure",
}
# What reading a file as Python may raise.
MISREAD = (OSError, RecursionError, SyntaxError, ValueError)
_FOLDERS: dict[str, list[Path]] = {room: [PACKAGE / room] for room in DECORATORS}


@dataclass(frozen=True)
class Option:
    """One option of a registered function: the annotation as written, and the default."""

    annotation: str
    default: Any


@dataclass(frozen=True)
class Declaration:
    """What a file declares about the function, or the class, that it registers.

    defined: its name in the file. details: its own docstring.
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

    @property
    def summary(self) -> str:
        """The first line of the file's docstring without the name in front."""
        return self.docstring.partition("\n")[0].removeprefix(f"{self.name}: ")

    def value_of(self, name: str, options: Mapping[str, Any]) -> Any:
        """The option's value in `options`, or its default."""
        return options.get(name, self.options[name].default)

    def load(self) -> Any:
        """Imports the file and returns the function, or the class."""
        return getattr(_import(self.module, self.file), self.defined)


def declarations(room: str) -> dict[str, Declaration]:
    """All declarations of a room, a key of `DECORATORS`, by name, sorted; see also `unreadable`."""
    found = [one for one in _read_all(room).values() if isinstance(one, Declaration)]
    return {declaration.name: declaration for declaration in sorted(found, key=lambda found_one: found_one.name)}


def unreadable(room: str) -> dict[str, str]:
    """{name of the file: a sentence} of the files of a room that cannot be read, such as one that is half written."""
    return {file.stem: one for file, one in _read_all(room).items() if isinstance(one, str)}


def _read_all(room: str) -> dict[Path, Declaration | str | None]:
    """Of each file its declaration, None where it has none, or a sentence on why it cannot be read."""
    read: dict[Path, Declaration | str | None] = {}
    for file in sorted(file for folder in _FOLDERS[room] for file in folder.glob("[!.]*.py")):
        try:
            read[file] = read_declaration(file, room)
        except MISREAD as error:
            read[file] = misread(file, error)
    return read


def misread(file: Path, error: Exception) -> str:
    """A sentence on a file of Python that cannot be read."""
    line = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
    reason = error.msg if isinstance(error, SyntaxError) else str(error).removeprefix(f"{file}: ")
    return f"{file}{line} cannot be read: {reason}"


def add_folder(room: str, folder: Path) -> None:
    """Lets `declarations` find files of `folder` too."""
    if folder not in _FOLDERS[room]:
        _FOLDERS[room].append(folder)


def read_declaration(file: Path, room: str) -> Declaration | None:
    """The declaration in a file, or None where nothing carries the room's decorator.

    Raises ValueError where the name is not the file's, or a decorator's keyword is not a literal.
    """
    return _read_declaration(file, room, file.stat().st_mtime_ns)


@cache
def _read_declaration(file: Path, room: str, _modified: int) -> Declaration | None:
    tree = ast.parse(file.read_text(encoding="utf-8"), str(file))
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        for decorator in node.decorator_list:
            if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == DECORATORS[room]:
                expected = file.stem if isinstance(node, ast.FunctionDef) else class_name(file.stem)
                if node.name != expected:
                    raise ValueError(f"{file}: the {DECORATORS[room]} is named {node.name}; expected {expected}")
                return Declaration(
                    name=file.stem,
                    defined=node.name,
                    room=room,
                    module=_module_name(file),
                    file=file,
                    docstring=ast.get_docstring(tree) or ast.get_docstring(node) or "",
                    details=ast.get_docstring(node) or "",
                    fields={
                        keyword.arg: ast.literal_eval(keyword.value) for keyword in decorator.keywords if keyword.arg
                    },
                    options=_options(node.args) if isinstance(node, ast.FunctionDef) else {},
                )
    return None


def class_name(name: str) -> str:
    """The class that a file of that name registers: fine_tunes -> FineTunes."""
    return "".join(word.capitalize() for word in name.split("_"))


def _options(arguments: ast.arguments) -> dict[str, Option]:
    return {
        argument.arg: Option(
            ast.unparse(argument.annotation) if argument.annotation else "Any", ast.literal_eval(default)
        )
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is not None
    }


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
