"""Checks a configuration against a JSON schema and says the first mistake in one sentence."""

import difflib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from math import isfinite, log10
from typing import Any

from heft.errors import HeftError

_TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "array": "a list",
    "object": "a mapping (key: value)",
    "boolean": "true or false",
    "null": "null",
}
MOST_INTEGER = 10**18


def check_against_schema(value: Any, schema: Mapping[str, Any], file_of: Callable[[Sequence[Any]], str]) -> None:
    """Raises HeftError naming the file, the key, its value and what is allowed where `value` breaks the schema.

    file_of: the file in which the value of a path stands.
    """
    from jsonschema import Draft202012Validator

    check_numbers(value, file_of)
    errors = sorted(
        Draft202012Validator(schema).iter_errors(value), key=lambda error: [str(part) for part in error.absolute_path]
    )
    if errors:
        raise HeftError(f"{file_of(errors[0].absolute_path)}: {_sentence(errors[0])}")


def check_numbers(value: Any, file_of: Callable[[Sequence[Any]], str], where: Sequence[Any] = ()) -> None:
    """Raises HeftError where a number anywhere in `value` is not finite or has more than 18 digits, which no key takes.

    A schema lets them pass: nothing is below a bound that is compared with nan.
    """
    if isinstance(value, Mapping):
        for key, inner in value.items():
            check_numbers(inner, file_of, [*where, key])
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            check_numbers(inner, file_of, [*where, index])
    elif isinstance(value, float) and not isfinite(value):
        word = {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}[str(value)]
        raise HeftError(f"{file_of(where)}: {dotted(where)} is {word}; it must be a finite number")
    elif isinstance(value, int) and abs(value) >= MOST_INTEGER:
        raise HeftError(
            f"{file_of(where)}: {dotted(where)} is a number of about {value.bit_length() * log10(2):.0f} digits; "
            "at most 18 are allowed"
        )


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


def _sentence(error: Any) -> str:
    """One sentence for a jsonschema error; of alternatives, the one that fits the value's type speaks."""
    while error.context:
        fitting = [inner for inner in error.context if len(inner.path) > 0 or _speaks_of_its_type(inner)]
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
        case "maxItems":
            return f"{key} has {len(error.instance):,} entries; at most {error.validator_value:,} are allowed"
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


def _speaks_of_its_type(error: Any) -> bool:
    return error.validator != "type" and (error.validator != "enum" or isinstance(error.instance, str))


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
    return " and ".join(f"{word} {_short(schema[name])}" for name, word in words.items() if name in schema)


def _short(bound: float) -> str:
    return f"{bound:,}" if isinstance(bound, int) else f"{bound:g}"
