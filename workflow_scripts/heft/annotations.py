"""Turns the annotation of an option into the JSON schema of its values, without importing anything.

`Annotated[float, Gt(0)]` is `{"type": "number", "exclusiveMinimum": 0}`, `Literal["a", "b"]` is `{"enum": ["a", "b"]}`.
"""

import ast
from typing import Any

_TYPES = {"int": "integer", "float": "number", "bool": "boolean", "str": "string", "None": "null"}
_LISTS = ("list", "tuple", "Sequence")
_OF_NUMBERS = {"Gt": "exclusiveMinimum", "Ge": "minimum", "Lt": "exclusiveMaximum", "Le": "maximum"}
_OF_LISTS = {"MinLen": "minItems", "MaxLen": "maxItems"}
READ = (
    "int, float, bool, str, Literal[...], list[...], X | None, and Annotated[...] with Gt, Ge, Lt, Le, MinLen, MaxLen"
)


def schema_of(annotation: ast.expr | None) -> dict[str, Any]:
    """The JSON schema of the values that an annotation allows; raises ValueError where it cannot be read."""
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return schema_of(ast.parse(annotation.value, mode="eval").body)
    if isinstance(annotation, ast.BinOp) and isinstance(annotation.op, ast.BitOr):
        return _alternatives([annotation.left, annotation.right])
    if isinstance(annotation, ast.Subscript):
        return _of_parts(annotation)
    name = _last_name(annotation)
    if name == "Any":
        return {}
    if name not in _TYPES:
        raise ValueError(f"{_text(annotation)} is not among {READ}")
    return {"type": _TYPES[name]}


def _of_parts(annotation: ast.Subscript) -> dict[str, Any]:
    """Of `head[parts]`."""
    head = _last_name(annotation.value)
    parts = annotation.slice.elts if isinstance(annotation.slice, ast.Tuple) else [annotation.slice]
    if head == "Literal":
        return {"enum": [ast.literal_eval(part) for part in parts]}
    if head == "Annotated":
        schema = schema_of(parts[0])
        for part in parts[1:]:
            schema |= _bound(part)
        return schema
    if head in ("Optional", "Union"):
        return _alternatives([*parts, *([ast.Constant(None)] if head == "Optional" else [])])
    if head in _LISTS:
        return {"type": "array", "items": schema_of(parts[0])}
    if head in ("dict", "Mapping"):
        return {"type": "object", "additionalProperties": schema_of(parts[-1])}
    raise ValueError(f"{_text(annotation)} is not among {READ}")


def _alternatives(parts: list[ast.expr]) -> dict[str, Any]:
    alternatives: list[dict[str, Any]] = []
    for schema in map(schema_of, parts):
        alternatives += schema["anyOf"] if list(schema) == ["anyOf"] else [schema]
    return {"anyOf": alternatives}


def _bound(part: ast.expr) -> dict[str, Any]:
    """Of `Gt(0)`; of a text nothing."""
    if isinstance(part, ast.Constant) and isinstance(part.value, str):
        return {}
    keyword = (_OF_NUMBERS | _OF_LISTS).get(_last_name(part.func)) if isinstance(part, ast.Call) else None
    if not isinstance(part, ast.Call) or keyword is None or len(part.args) != 1:
        raise ValueError(f"{_text(part)} is not among {READ}")
    try:
        return {keyword: ast.literal_eval(part.args[0])}
    except ValueError:
        raise ValueError(f"the bound {_text(part)} must be a plain number") from None


def _last_name(node: ast.expr | None) -> str:
    """`Gt` for `Gt` and for `annotated_types.Gt`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Constant):
        return str(node.value)
    return node.id if isinstance(node, ast.Name) else ""


def _text(node: ast.expr | None) -> str:
    return ast.unparse(node) if node else "an option without a type"
