"""Reads a signature, and what stands in a decorator's brackets, from parsed text: options, keywords and their values.

A decorator's own signature, in the room's declare.py, says which keywords it has and what they may be.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from heft.annotations import schema_of
from heft.options import REQUIRED, Option, fault
from heft.phrases import nearest
from heft.rooms import DECORATORS, GIVEN_BY_NAME, PACKAGE, SHARED, UNDECORATED

Definition = ast.FunctionDef | ast.ClassDef


class Unreadable(ValueError):
    """A mistake in a declaration, with the line where it stands."""

    def __init__(self, sentence: str, line: int) -> None:
        super().__init__(sentence)
        self.line = line


@dataclass(frozen=True)
class Signature:
    """The options of a function; takes_any_option: whether it takes others than those that can be read."""

    options: dict[str, Option] = field(default_factory=dict)
    takes_any_option: bool = False


def read_signature(node: Definition, room: str, *, decorated: bool) -> Signature:
    """The options of a function, or of the `__init__` of a class.

    decorated: they are the keyword-only parameters, and each needs a type and a default that can be read. Else what
    stands after the arguments that Heft gives are options too, and what cannot be read is not checked.
    """
    arguments = _arguments(node)
    if arguments is None:
        return Signature(takes_any_option=not decorated)
    parameters = _keyword_only(arguments)
    if not decorated:
        parameters = [*_positional(arguments)[UNDECORATED[room] :], *parameters]
        given = GIVEN_BY_NAME.get(room, ())
        parameters = [(parameter, default) for parameter, default in parameters if parameter.arg not in given]
    options = {parameter.arg: _option(parameter, default, strict=decorated) for parameter, default in parameters}
    return Signature(options, takes_any_option=not decorated and arguments.kwarg is not None)


def shared_options(room: str) -> dict[str, Option]:
    """The options that all of a room take beside their own."""
    if room not in SHARED:
        return {}
    name, function = SHARED[room]
    file = PACKAGE / room / name
    return dict(_keywords_of(file, function, file.stat().st_mtime_ns) or {})


def read_fields(decorator: ast.Call, room: str) -> dict[str, Any]:
    """The keywords of a decorator with their values, and its defaults for those that are left out."""
    fields = {keyword.arg: _literal(keyword.value, keyword.arg) for keyword in decorator.keywords if keyword.arg}
    known = _decorator_options(room)
    if known is None:
        return fields
    label = f"@{DECORATORS[room]}"
    for keyword in decorator.keywords:
        name = str(keyword.arg)
        if name not in known:
            raise Unreadable(f"{name} is not a keyword of {label}{nearest(name, known)}", keyword.value.lineno)
        if said := fault(name, fields[name], known[name].allowed):
            raise Unreadable(f"{label}: {said}", keyword.value.lineno)
    for name, option in known.items():
        if option.default is REQUIRED and name not in fields:
            raise Unreadable(f"{label} lacks the keyword {name}", decorator.lineno)
    return {name: option.default for name, option in known.items() if option.default is not REQUIRED} | fields


def _decorator_options(room: str) -> Mapping[str, Option] | None:
    """The keywords that a room's decorator has; None where the room declares none."""
    file = PACKAGE / room / "declare.py"
    return _keywords_of(file, DECORATORS[room], file.stat().st_mtime_ns) if file.is_file() else None


@cache
def _keywords_of(file: Path, decorator: str, _modified: int) -> Mapping[str, Option] | None:
    for node in ast.parse(file.read_text(encoding="utf-8"), str(file)).body:
        if isinstance(node, ast.FunctionDef) and node.name == decorator:
            keywords = _keyword_only(node.args)
            return {parameter.arg: _option(parameter, default, strict=False) for parameter, default in keywords}
    return None


def _option(parameter: ast.arg, default: ast.expr | None, *, strict: bool) -> Option:
    """strict: the type must be there and readable; the default a literal that the type allows."""
    annotation = ast.unparse(parameter.annotation) if parameter.annotation else "Any"
    if not strict:
        try:
            allowed = schema_of(parameter.annotation) if parameter.annotation else {}
            return Option(annotation, ast.literal_eval(default) if default else REQUIRED, allowed)
        except (ValueError, SyntaxError):
            return Option(annotation, ast.unparse(default) if default else REQUIRED)
    try:
        allowed = schema_of(parameter.annotation)
    except (ValueError, SyntaxError) as error:
        raise Unreadable(f"the type of the option {parameter.arg}: {error}", parameter.lineno) from error
    if default is None:
        return Option(annotation, REQUIRED, allowed)
    value = _literal(default, parameter.arg)
    if said := fault(f"the default of {parameter.arg}", value, allowed):
        raise Unreadable(said, parameter.lineno)
    return Option(annotation, value, allowed)


def _literal(node: ast.expr, name: str) -> Any:
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise Unreadable(f"{name} is {ast.unparse(node)[:80]}; it must be a literal", node.lineno) from error


def _arguments(node: Definition) -> ast.arguments | None:
    """The arguments of a function; of a class those of its `__init__`, if it has one."""
    if isinstance(node, ast.FunctionDef):
        return node.args
    functions = (definition for definition in node.body if isinstance(definition, ast.FunctionDef))
    constructor = next((function for function in functions if function.name == "__init__"), None)
    if constructor is None:
        return None
    arguments = constructor.args
    return ast.arguments(
        arguments.posonlyargs,
        arguments.args[1:],
        arguments.vararg,
        arguments.kwonlyargs,
        arguments.kw_defaults,
        arguments.kwarg,
        arguments.defaults,
    )


def _keyword_only(arguments: ast.arguments) -> list[tuple[ast.arg, ast.expr | None]]:
    return list(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True))


def _positional(arguments: ast.arguments) -> list[tuple[ast.arg, ast.expr | None]]:
    parameters = [*arguments.posonlyargs, *arguments.args]
    without = len(parameters) - len(arguments.defaults)
    return list(zip(parameters, [*[None] * without, *arguments.defaults], strict=True))
