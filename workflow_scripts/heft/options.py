"""Checks the values of options against what stands in a function's signature, for the workflow and the library alike.

A JSON schema says what is allowed (`heft.annotations`); the sentences are those of the configuration's check.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from heft.errors import HeftError
from heft.phrases import BOUNDS, TYPES, allowed_types, bounds, hint, nearest, shown, too_few, unusable_number

if TYPE_CHECKING:
    from heft.declaration import Declaration

# The default of an option that has none, which therefore must be given.
REQUIRED: Any = ...
Named = str | dict[str, dict[str, Any]]  # `name`, or `{name: {option: value}}`


def named(entry: Named) -> tuple[str, dict[str, Any]]:
    """Name and options of an entry that is `name` or `{name: {option: value}}`."""
    if isinstance(entry, str):
        return entry, {}
    return next((name, dict(options)) for name, options in entry.items())


@dataclass(frozen=True)
class Option:
    """One option of a function: the annotation as written, the default, and the JSON schema of what is allowed."""

    annotation: str
    default: Any
    allowed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_required(self) -> bool:
        """Whether it has no default."""
        return self.default is REQUIRED

    def is_default(self, value: Any) -> bool:
        """Whether a value is the default, which of a list is written as a tuple."""
        return bool(value == (list(self.default) if isinstance(self.default, tuple) else self.default))

    @property
    def takes_lists(self) -> bool:
        """Whether one value of the option may be a list."""
        return "array" in [schema.get("type") for schema in (self.allowed, *self.allowed.get("anyOf", ()))]


def checked_options(declaration: "Declaration", given: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """The options as they are given, once each is known to the function, of its type and within its bounds.

    where: what stands before the option's name in a sentence; by default `method if_cg: `. Raises HeftError.
    """
    where, known = where or f"{declaration.word} {declaration.name}: ", declaration.options
    check_names(where, declaration.name, known, given, takes_any_option=declaration.takes_any_option)
    for name, value in given.items():
        if name in known and (said := fault(f"{where}{name}", value, known[name].allowed)):
            raise HeftError(said)
    return dict(given)


def check_names(
    where: str, of: str, known: Mapping[str, Option], given: Mapping[str, Any], *, takes_any_option: bool
) -> None:
    """Raises HeftError if a given option is not among those of a function, or one that has no default is missing."""
    unknown = next((name for name in given if name not in known and not takes_any_option), None)
    if unknown is not None:
        raise HeftError(f"{where}{unknown} is not an option{nearest(unknown, known)}")
    for name, option in known.items():
        if option.is_required and name not in given:
            raise HeftError(f"{where}{name} is missing; {of} has no default for it")


def fault(name: str, value: Any, allowed: Mapping[str, Any]) -> str:
    """The sentence on a value that a JSON schema does not allow, which begins with `name`; else empty."""
    value = _plain(value)
    if said := unusable_number(value):
        return f"{name} {said}"
    if "anyOf" in allowed and (said := _fault_of_alternatives(name, value, allowed["anyOf"])):
        return said
    if "enum" in allowed and not any(value == choice and type(value) is type(choice) for choice in allowed["enum"]):
        return f"{name} is {shown(value)}{nearest(value, allowed['enum'])}"
    if "type" in allowed and not is_of_type(value, allowed["type"]):
        return f"{name} is {shown(value)}{hint(value)}; it must be {TYPES[allowed['type']]}"
    if is_of_type(value, "number") and not _is_within(value, allowed):
        return f"{name} is {shown(value)}; it must be {bounds(allowed)}"
    if isinstance(value, list):
        return _fault_of_list(name, value, allowed)
    if isinstance(value, Mapping) and "additionalProperties" in allowed:
        inner = (fault(f"{name}.{key}", entry, allowed["additionalProperties"]) for key, entry in value.items())
        return next(filter(None, inner), "")
    return ""


def is_of_type(value: Any, name: str) -> bool:
    """Whether a value has a type of JSON; a whole number is one that is written without a point."""
    if isinstance(value, bool):
        return name == "boolean"
    kinds: dict[str, type | tuple[type, ...]] = {
        "integer": Integral,
        "number": Real,
        "string": str,
        "array": list,
        "object": Mapping,
        "null": type(None),
    }
    return name in kinds and isinstance(value, kinds[name])


def _plain(value: Any) -> Any:
    """A tuple as a list; a number of numpy as one of Python."""
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return list(value)
    return value.item() if isinstance(value, Real) and hasattr(value, "item") else value


def _fault_of_alternatives(name: str, value: Any, alternatives: Sequence[Mapping[str, Any]]) -> str:
    """Of the alternatives that a value is not, the one of its type speaks; else all are named."""
    sentences = [fault(name, value, schema) for schema in alternatives]
    if not all(sentences):
        return ""
    of_its_type = (
        sentence
        for sentence, schema in zip(sentences, alternatives, strict=True)
        if is_of_type(value, schema.get("type", ""))
        or any(type(value) is type(choice) for choice in schema.get("enum", ()))
    )
    return next(of_its_type, f"{name} is {shown(value)}{hint(value)}; it must be {allowed_types(alternatives)}")


def _is_within(value: float, allowed: Mapping[str, Any]) -> bool:
    low, least, high, most = (allowed.get(name) for name in BOUNDS)
    return (
        (low is None or value > low)
        and (least is None or value >= least)
        and (high is None or value < high)
        and (most is None or value <= most)
    )


def _fault_of_list(name: str, value: list[Any], allowed: Mapping[str, Any]) -> str:
    if len(value) < allowed.get("minItems", 0):
        return f"{name} {too_few(len(value), allowed['minItems'])}"
    if len(value) > allowed.get("maxItems", len(value)):
        return f"{name} has {len(value):,} entries; at most {allowed['maxItems']:,} are allowed"
    inner = (fault(f"{name}[{index}]", entry, allowed.get("items", {})) for index, entry in enumerate(value))
    return next(filter(None, inner), "")
