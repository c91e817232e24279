"""Checks a configuration against a JSON schema and says the first mistake in one sentence."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from heft.errors import HeftError
from heft.options import is_of_type
from heft.phrases import TYPES, allowed_types, bounds, dotted, hint, nearest, shown, too_few, unusable_number


def check_against_schema(value: Any, schema: Mapping[str, Any], file_of: Callable[[Sequence[Any]], str]) -> None:
    """Raises HeftError naming the file, the key, its value and what is allowed where `value` breaks the schema.

    file_of: the file in which the value of a path stands.
    """
    from jsonschema import Draft202012Validator
    from jsonschema.validators import extend

    check_numbers(value, file_of)
    # A whole number is written without a point: 2.0 has another slug than 2, and is no number of models.
    types = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, number: is_of_type(number, "integer"))
    validator = extend(Draft202012Validator, type_checker=types)(schema)
    errors = sorted(validator.iter_errors(value), key=lambda error: [str(part) for part in error.absolute_path])
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
    elif said := unusable_number(value):
        raise HeftError(f"{file_of(where)}: {dotted(where)} {said}")


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
            return f"{key} {too_few(len(error.instance), error.validator_value)}"
        case "maxProperties":
            return f"{key} is {value}; each list entry holds one name"
        case "type":
            return f"{key} is {value}{hint(error.instance)}; it must be {TYPES[error.validator_value]}"
        case "anyOf":
            return f"{key} is {value}{hint(error.instance)}; it must be {allowed_types(error.validator_value)}"
        case "exclusiveMinimum" | "exclusiveMaximum" | "minimum" | "maximum":
            return f"{key} is {value}; it must be {bounds(error.schema)}"
        case _:
            return f"{key} is {value}; {error.message}"


def _speaks_of_its_type(error: Any) -> bool:
    return error.validator != "type" and (error.validator != "enum" or isinstance(error.instance, str))


def _unknown_key(error: Any, where: str) -> str:
    known = error.schema.get("properties", {})
    unknown = next(name for name in error.instance if name not in known)
    what = "an option" if error.schema.get("title") == "options" else "a key"
    return f"{f'{where}.' if where else ''}{unknown} is not {what}{nearest(unknown, known)}"
