"""An option beyond its bound is refused in one sentence, the same in a configuration and in the library."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
import pytest
import torch
from attribution_cases import Case, make_case
from jsonschema import Draft202012Validator

from heft.errors import HeftError
from heft.options import checked_options, fault
from heft.phrases import allowed_values
from heft.registry import declarations, find
from heft.rooms import DECORATORS
from heft.workflow.configuration.named_keys import KEYS, KIND
from heft.workflow.configuration.settings import load_configuration


def beyond(allowed: Mapping[str, Any]) -> Iterator[Any]:
    """Values that a JSON schema does not allow, one beyond each of its bounds, and one of another type."""
    if "anyOf" in allowed:
        yield {"a": "mapping"}
        return
    if "enum" in allowed:
        yield "no such choice"
        return
    step = 1 if allowed.get("type") == "integer" else 0.5
    yield from (allowed[key] for key in ("exclusiveMinimum", "exclusiveMaximum") if key in allowed)
    yield from (allowed[key] + sign * step for key, sign in (("minimum", -1), ("maximum", 1)) if key in allowed)
    if "items" in allowed:
        yield from ([value] * allowed.get("minItems", 1) for value in beyond(allowed["items"]))
    if "minItems" in allowed:
        yield []
    yield {"integer": 2.5, "number": "text", "boolean": "yes", "string": 5, "array": 5}.get(allowed.get("type", ""), 5)


def within(allowed: Mapping[str, Any]) -> Any:
    """A value that a JSON schema allows."""
    if allowed["type"] == "array":
        return [within(allowed["items"])]
    return {"string": "text", "integer": 1}[allowed["type"]]


REFUSED = [
    (room, name, key, value)
    for room in DECORATORS
    for name, declared in declarations(room).items()
    for key, option in declared.options.items()
    for value in beyond(option.allowed)
]


def in_a_configuration(room: str, name: str, options: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The place of a name with its options, and settings of an experiment that have it there."""
    if room == KIND.room:
        return f"{KIND.path}[0]", {KIND.path: [{"kind": name, "sizes": [2], **options}]}
    (key,) = (key for key in KEYS if key.room == room)
    settings: Any = [{name: options}] if key.several else {name: options}
    for part in reversed(key.path.split(".")):
        settings = {part: settings}
    return f"{key.path}[0].{name}" if key.several else f"{key.path}.{name}", settings


@pytest.mark.parametrize(("room", "name", "option", "value"), REFUSED)
def test_a_value_beyond_a_bound_is_one_sentence_here_and_in_a_configuration(
    room: str, name: str, option: str, value: Any
) -> None:
    needed = {key: within(known.allowed) for key, known in find(room, name).options.items() if known.is_required}
    with pytest.raises(HeftError, match=rf"{name}: {option}.*; (it must be|Known|it needs|did you)") as caught:
        checked_options(find(room, name), {**needed, option: value})
    place, settings = in_a_configuration(room, name, {**needed, option: value})
    with pytest.raises(HeftError) as of_configuration:
        load_configuration({"experiments": ["e"], "definitions": {"e": settings}})
    sentence = str(caught.value).partition(": ")[2]
    assert str(of_configuration.value).startswith(f"config.yaml: definitions.e.{place}.{sentence}")


def test_each_option_of_a_number_has_a_bound_below() -> None:
    schemas = [(name, option.allowed) for name, d in declarations("methods").items() for option in d.options.values()]
    numbers = [(name, allowed) for name, allowed in schemas if allowed.get("type") in ("integer", "number")]
    assert numbers
    assert [name for name, allowed in numbers if not {"minimum", "exclusiveMinimum"} & set(allowed)] == []
    whole = [(name, allowed) for name, allowed in numbers if allowed["type"] == "integer"]
    assert [name for name, allowed in whole if "maximum" not in allowed] == []


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("damping", float("nan"), "method if_cg: damping is .nan; it must be a finite number"),
        ("damping", True, "method if_cg: damping is true; it must be a number"),
        ("damping", "0.1", 'damping is "0.1" (text; write 0.1 without quotes); it must be a number'),
        ("damping", np.float32(-1), "method if_cg: damping is -1.0; it must be above 0"),
        ("tolerance", 1, "tolerance is 1; it must be between 0 and 1, both excluded"),
        ("curvature", "hesian", 'curvature is "hesian"; did you mean "hessian"? Known: gauss_newton, hessian'),
        ("dampin", 0.1, 'method if_cg: dampin is not an option; did you mean "damping"? Known: curvature, damping,'),
    ],
)
def test_the_library_says_what_is_wrong_in_the_words_of_the_configuration(
    option: str, value: Any, sentence: str
) -> None:
    with pytest.raises(HeftError) as caught:
        find("methods", "if_cg").configured({option: value})
    assert sentence in str(caught.value)


def test_a_whole_number_of_a_numeric_type_is_taken_and_one_with_a_point_is_not() -> None:
    declared = find("methods", "trak")
    assert checked_options(declared, {"models": np.int64(3), "damping": 1}) == {"models": 3, "damping": 1}
    with pytest.raises(HeftError, match=r"models is 3.0 \(write 3\); it must be a whole number"):
        checked_options(declared, {"models": 3.0})


TAKEN: list[tuple[str, dict[str, float]]] = [
    ("if_exact", {"damping": 0.0}),
    ("trak", {"models": 1, "damping": 0.0, "dimension": 2}),
    ("gex", {"models": 2, "batch_size": 1, "epochs": 0.1}),
    ("random_projection", {"dimension": 1}),
    ("if_arnoldi", {"rank": 4, "iterations": 4}),
]


@cache
def case() -> Case:
    return make_case("no_bias")


@pytest.mark.parametrize(("name", "options"), TAKEN)
def test_the_bound_itself_is_taken(name: str, options: dict[str, float]) -> None:
    context = case().context(weight_decay=0.1)
    assert torch.isfinite(find("methods", name).configured(options)(context)).all()


def test_arnoldi_keeps_no_more_eigenpairs_than_it_has_products() -> None:
    with pytest.raises(HeftError, match="rank is 31; it must be at most iterations, which is 30"):
        find("methods", "if_arnoldi").configured({"rank": 31})(case().context())


SCHEMAS: list[dict[str, Any]] = [
    {},
    {"type": "integer", "minimum": -1, "maximum": 3},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    {"type": "boolean"},
    {"type": "string"},
    {"enum": ["a", 2, True]},
    {"anyOf": [{"type": "integer", "minimum": 2}, {"type": "null"}]},
    {"anyOf": [{"type": "number"}, {"enum": ["auto"]}], "exclusiveMinimum": 0},
    {"type": "array", "items": {"type": "integer", "exclusiveMinimum": 0}, "minItems": 1, "maxItems": 2},
    {"type": "object", "additionalProperties": {"type": "string"}},
]
VALUES: list[Any] = [
    *(None, True, False, -2, -1, 0, 1, 2, 3, 4, 0.5, 1.5, -0.5, "a", "auto", "text"),
    *([], [1], [0], [1, 2], [1, 2, 3], ["a"], {}, {"a": "b"}, {"a": 1}),
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_the_library_refuses_what_a_json_schema_refuses(schema: dict[str, Any]) -> None:
    for value in VALUES:
        said = fault("x", value, schema)
        assert bool(said) == (not Draft202012Validator(schema).is_valid(value)), value
        assert not said or said.startswith("x")


def test_a_value_that_fits_no_alternative_is_told_all_of_them_or_the_one_of_its_type() -> None:
    either = {"anyOf": [{"type": "integer", "minimum": 2}, {"type": "null"}]}
    assert fault("x", "a", either) == 'x is "a"; it must be a whole number or null'
    assert fault("x", 1, either) == "x is 1; it must be at least 2"
    assert fault("x", "b", {"anyOf": [{"type": "number"}, {"enum": ["auto"]}]}) == 'x is "b"; Known: auto'


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "number", "exclusiveMinimum": 0}, "a number above 0"),
        ({"type": "integer", "minimum": 1, "maximum": 1000}, "a whole number at least 1 and at most 1,000"),
        ({"type": "array", "items": {"type": "integer", "exclusiveMinimum": 0}}, "a list of whole numbers above 0"),
        ({"enum": ["a", "b"]}, "a or b"),
        ({"anyOf": [{"type": "number"}, {"type": "null"}]}, "a number or null"),
        ({}, "anything"),
    ],
)
def test_what_an_option_allows_is_said_in_words(schema: dict[str, Any], words: str) -> None:
    assert allowed_values(schema) == words


def test_an_option_at_its_default_is_told_from_one_that_was_changed() -> None:
    declared = find("models", "mlp")
    assert declared.changed_options({"hidden": [128, 64]}) == {}
    assert declared.changed_options({"hidden": [128]}) == {"hidden": [128]}
    assert find("methods", "if_cg").changed_options({"damping": 0.1, "tolerance": 0.5}) == {"tolerance": 0.5}
