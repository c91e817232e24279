"""The part of the configuration's schema that follows from declarations: registered names, and options with bounds."""

from collections.abc import Mapping, Sequence
from typing import Any

from heft.options import Option
from heft.registry import Declaration

# What an option may be instead, in a person's own function: `package.module:function`.
IMPORT_PATH = r"^[A-Za-z_][\w.]*:[A-Za-z_]\w*$"


def choice_with_options(
    declared: Mapping[str, Declaration], misread: Sequence[str] = (), *, lists: bool = False
) -> dict[str, Any]:
    """Schema of a name: alone, or as `{name: {option: value}}`; registered, or a person's own import path.

    misread: further names, of files that cannot be read. lists: an option may be a list of values. The options of a
    person's own function are not known here.
    """
    with_options = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {name: _options_schema(declaration.options, lists) for name, declaration in declared.items()}
        | {name: {"type": "object"} for name in misread},
        "patternProperties": {IMPORT_PATH: {"type": "object"}},
    }
    return {"anyOf": [name_of([*declared, *misread]), with_options]}


def name_of(names: Sequence[str]) -> dict[str, Any]:
    """Schema of one of the names, or of a person's own import path."""
    return {"type": "string", "anyOf": [{"enum": list(names)}, {"pattern": IMPORT_PATH}]}


def options_beside(
    key: str,
    declared: Sequence[Declaration],
    misread: Sequence[str],
    properties: Mapping[str, Any],
    required: Sequence[str],
) -> dict[str, Any]:
    """Schema of a mapping in which options stand beside the name, such as `{kind: gaussian, sizes: [5], sigma: 0.1}`.

    key: of the name. properties: schemas of the other keys, which are no options. An option of any declaration may
    stand there, within its bounds; that of a person's own may be any. `checked_options` says whose it is.
    """
    taken = {key, *properties}
    options: dict[str, list[Any]] = {}
    for declaration in declared:
        for name, option in declaration.options.items():
            if name not in taken and option.allowed not in options.setdefault(name, []):
                options[name].append(option.allowed)
    known = {name: allowed[0] if len(allowed) == 1 else {"anyOf": allowed} for name, allowed in options.items()}
    names = name_of([*(declaration.name for declaration in declared), *misread])
    whole = {"type": "object", "properties": {key: names, **properties}, "required": [key, *required]}
    own = {"properties": {key: {"type": "string", "pattern": IMPORT_PATH}}}
    closed = {"properties": {key: {}, **properties, **known}, "additionalProperties": False}
    return {**whole, "if": own, "else": closed}


def _options_schema(options: Mapping[str, Option], lists: bool) -> dict[str, Any]:
    """Schema of `{option: value}`; its title tells the sentence on an unknown key that it is an option."""
    return {
        "type": "object",
        "title": "options",
        "additionalProperties": False,
        "properties": {name: _option_schema(option, lists) for name, option in options.items()},
        "required": [name for name, option in options.items() if option.is_required],
    }


def _option_schema(option: Option, lists: bool) -> dict[str, Any]:
    allowed = dict(option.allowed)
    if not lists:
        return allowed
    several = {"type": "array", "items": allowed, "minItems": 1, "uniqueItems": True}
    return {"anyOf": [allowed, several]}
