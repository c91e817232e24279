"""Words that sentences about a wrong value share, wherever the value was given: in a file, or to a function."""

import difflib
import json
from collections.abc import Iterable, Mapping
from math import isfinite, log10
from typing import Any

TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "array": "a list",
    "object": "a mapping (key: value)",
    "boolean": "true or false",
    "null": "null",
}
BOUNDS = {"exclusiveMinimum": "above", "minimum": "at least", "exclusiveMaximum": "below", "maximum": "at most"}
MOST_INTEGER = 10**18


def nearest(name: Any, known: Iterable[Any]) -> str:
    """`; did you mean "loss"?` where a known name is near, else `;`, then the known names."""
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
    """A value as a person would write it in a configuration, cut where long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "..."


def on_one_line(name: str) -> str:
    """A name, with what is not printed (a line's end, a terminal's commands) written as Python writes it."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in name)


def hint(value: Any) -> str:
    """` (text; write 20 without quotes)`, ` (write 20)`, or nothing."""
    if isinstance(value, float) and value.is_integer():
        return f" (write {int(value)})"
    if not isinstance(value, str):
        return ""
    try:
        number = float(value)
    except ValueError:
        return ""
    return f" (text; write {int(number) if number.is_integer() else number} without quotes)"


def unusable_number(value: Any) -> str:
    """Says that a number is not finite, or has more than 18 digits, which nothing takes; else empty."""
    if isinstance(value, float) and not isfinite(value):
        return f"is {({'nan': '.nan', 'inf': '.inf', '-inf': '-.inf'})[str(value)]}; it must be a finite number"
    if isinstance(value, int) and abs(value) >= MOST_INTEGER:
        return f"is a number of about {value.bit_length() * log10(2):.0f} digits; at most 18 are allowed"
    return ""


def too_few(n: int, least: int) -> str:
    """`is empty; it needs at least one entry`: of a list of n entries that is too short."""
    if least == 1:
        return "is empty; it needs at least one entry"
    return f"has {n} {'entry' if n == 1 else 'entries'}; it needs at least {least}"


def allowed_types(alternatives: Iterable[Mapping[str, Any]]) -> str:
    """`a whole number or null`: what the alternatives of a JSON schema take."""
    kinds: list[str] = []
    for schema in alternatives:
        kinds += [TYPES[schema["type"]]] if schema.get("type") in TYPES else []
        kinds += map(shown, [*schema.get("enum", ()), *([schema["const"]] if "const" in schema else [])])
    return " or ".join(dict.fromkeys(kinds))


def allowed_values(schema: Mapping[str, Any]) -> str:
    """`a number above 0`, `gauss_newton or hessian`: what a JSON schema allows, for a table."""
    if "anyOf" in schema:
        return " or ".join(map(allowed_values, schema["anyOf"]))
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        inner = allowed_values(schema.get("items", {})).removeprefix("a ").replace("number", "numbers", 1)
        return f"a list of {inner}"
    return f"{TYPES.get(schema.get('type', ''), 'anything')} {bounds(schema)}".strip()


def bounds(schema: Mapping[str, Any]) -> str:
    """`above 0 and at most 1`."""
    low, high = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if low is not None and high is not None:
        return f"between {low:g} and {high:g}, both excluded"
    return " and ".join(f"{word} {_short(schema[name])}" for name, word in BOUNDS.items() if name in schema)


def _short(bound: float) -> str:
    return f"{bound:,}" if isinstance(bound, int) else f"{bound:g}"
