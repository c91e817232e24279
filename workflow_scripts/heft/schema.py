"""Checks a configuration against a JSON schema and says the first mistake in one sentence."""

import difflib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from heft.errors import HeftError
from heft.registry import Declaration

_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "array": "a list",
    "object": "a mapping (key: value)",
    "boolean": "true or false",
    "null": "null",
}
_OPTION_TYPES = {"int": "integer", "float": "number", "bool": "boolean", "str": "string"}


def check_against_schema(value: Any, schema: Mapping[str, Any], name: str) -> None:
    """Raises HeftError naming the key, its value and what is allowed where `value` breaks the schema."""
    from jsonschema import Draft202012Validator

    errors = sorted(
        Draft202012Validator(schema).iter_errors(value), key=lambda error: [str(part) for part in error.absolute_path]
    )
    if errors:
        raise HeftError(f"{name}: {_sentence(errors[0])}")


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
                    key: _option_schema(option.annotation, lists) for key, option in declaration.options.items()
                },
            }
            for name, declaration in found.items()
        }
        | {name: {"type": "object"} for name in misread},
        **({"patternProperties": {open_pattern: {"type": "object"}}} if open_pattern else {}),
    }
    return {"anyOf": [*alternatives, with_options]}


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean "loss"?` where a known name is near, else nothing; then the known names."""
    known = sorted(map(str, known))
    close = difflib.get_close_matches(str(name), known, n=1, cutoff=0.6)
    hint = f'; did you mean "{close[0]}"?' if close else ";"
    return f"{hint} Known: {', '.join(known) or 'nothing'}"


def dotted(path: Iterable[Any]) -> str:
    """`definitions.pets.methods[2]`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text


def shown(value: Any) -> str:
    """A value as a person would write it, cut where long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def _option_schema(annotation: str, lists: bool) -> dict[str, Any]:
    if annotation in _OPTION_TYPES:
        one = {"type": _OPTION_TYPES[annotation]}
        several = {"type": "array", "items": one, "minItems": 1, "uniqueItems": True}
        return {"anyOf": [one, several]} if lists else one
    inner = annotation[annotation.find("[") + 1 : -1].split(",")[0].strip()
    return {"type": "array", "items": {"type": _OPTION_TYPES[inner]}, "minItems": 1}


def _sentence(error: Any) -> str:
    """One sentence for a jsonschema error; of alternatives, the one that fits the value's type speaks."""
    while error.context:
        fitting = [inner for inner in error.context if inner.validator != "type" or len(inner.path) > 0]
        if not fitting:
            break
        error = min(fitting, key=lambda inner: (-len(inner.absolute_path), inner.validator != "enum"))
    where = dotted(error.absolute_path)
    key, value = where or "the configuration", shown(error.instance)
    match error.validator:
        case "additionalProperties":
            return _unknown_key(error, where)
        case "enum":
            return f"{key} is {value}{nearest(error.instance, error.validator_value)}"
        case "required":
            missing = next(name for name in error.validator_value if name not in error.instance)
            return f"{f'{where}.' if where else ''}{missing} is missing"
        case "uniqueItems":
            twice = next(element for element in error.instance if error.instance.count(element) > 1)
            return f"{key} names {shown(twice)} twice; each may stand there once"
        case "minItems" | "minProperties":
            return f"{key} is empty; it needs at least one entry"
        case "maxProperties":
            return f"{key} is {value}; each list entry holds one name"
        case "type" | "anyOf":
            return f"{key} is {value}{_hint(error.instance)}; it must be {_allowed_types(error)}"
        case "exclusiveMinimum" | "exclusiveMaximum" | "minimum" | "maximum":
            return f"{key} is {value}; it must be {_bounds(error.schema)}"
        case _:
            return f"{key} is {value}; {error.message}"


def _unknown_key(error: Any, where: str) -> str:
    known = error.schema.get("properties", {})
    unknown = next(name for name in error.instance if name not in known)
    return f"{f'{where}.' if where else ''}{unknown} is not a key{nearest(unknown, known)}"


def _hint(value: Any) -> str:
    if not isinstance(value, str):
        return ""
    try:
        number = float(value)
    except ValueError:
        return ""
    return f" (text; write {int(number) if number.is_integer() else number} without quotes)"


def _allowed_types(error: Any) -> str:
    if error.validator == "type":
        return _TYPES[error.validator_value]
    kinds = [kind for choice in error.validator_value if (kind := _TYPES.get(choice.get("type", "")))]
    names = [shown(choice["const"]) for choice in error.validator_value if "const" in choice]
    return " or ".join([*dict.fromkeys(kinds), *names])


def _bounds(schema: Mapping[str, Any]) -> str:
    low, high = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f"between {low:g} and {high:g}, both excluded"
    words = {"exclusiveMinimum": "above", "minimum": "at least", "exclusiveMaximum": "below", "maximum": "at most"}
    return " and ".join(f"{word} {schema[name]:g}" for name, word in words.items() if name in schema)
