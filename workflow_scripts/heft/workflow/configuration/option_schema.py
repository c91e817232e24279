"""The part of the configuration's schema that follows from the registered functions: their names and options."""

from collections.abc import Mapping, Sequence
from typing import Any

from heft.registry import Declaration

# Largest whole number of an option, by its name: beyond it a run would have no end, or no memory.
MOST = {"dimension": 2**20, "models": 1000, "hidden": 2**20}
MOST_OF_ANY_OPTION = 10**6
_OPTION_TYPES = {"int": "integer", "float": "number", "bool": "boolean", "str": "string"}


def choice_with_options(
    found: Mapping[str, Declaration],
    misread: Sequence[str] = (),
    *,
    open_pattern: str | None = None,
    lists: bool = False,
) -> dict[str, Any]:
    """Schema of a registered name: alone, or as `{name: {option: value}}`.

    misread: further names, of files that cannot be read. open_pattern: of further names, whose options are not known
    here either. lists: an option may be a list of values.
    """
    names = [*found, *misread]
    alternatives: list[dict[str, Any]] = [{"type": "string", "enum": names}]
    if open_pattern:
        alternatives = [{"type": "string", "anyOf": [{"enum": names}, {"pattern": open_pattern}]}]
    with_options = {
        "type": "object",
        "minProperties": 1,
        "maxProperties": 1,
        "additionalProperties": False,
        "properties": {
            name: {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    key: _option_schema(key, option.annotation, lists) for key, option in declaration.options.items()
                },
            }
            for name, declaration in found.items()
        }
        | {name: {"type": "object"} for name in misread},
        **({"patternProperties": {open_pattern: {"type": "object"}}} if open_pattern else {}),
    }
    return {"anyOf": [*alternatives, with_options]}


def _option_schema(name: str, annotation: str, lists: bool) -> dict[str, Any]:
    if annotation in _OPTION_TYPES:
        one = _value_schema(name, annotation)
        several = {"type": "array", "items": one, "minItems": 1, "uniqueItems": True}
        return {"anyOf": [one, several]} if lists else one
    inner = annotation[annotation.find("[") + 1 : -1].split(",")[0].strip()
    return {"type": "array", "items": _value_schema(name, inner), "minItems": 1}


def _value_schema(name: str, annotation: str) -> dict[str, Any]:
    most = {"maximum": MOST.get(name, MOST_OF_ANY_OPTION)} if annotation == "int" else {}
    return {"type": _OPTION_TYPES[annotation], **most}
