"""Columns of a file with one JSON object a line."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from heft.data.text_file import decoder_of, opened_text
from heft.errors import HeftError

LONGEST_SHOWN = 40


def read_json_lines(path: Path, encoding: str | None = None) -> tuple[dict[str, pa.ChunkedArray], list[int]]:
    """The columns by name, and the line of each row; a key that a line lacks is missing there.

    Raises HeftError naming file and line where a line is no JSON object, or a column holds lists or objects beside
    single values; of several types of single values all become texts.
    """
    objects: list[dict[str, Any]] = []
    lines: list[int] = []
    with opened_text(path, decoder_of(path, encoding)) as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                objects.append(_object(path, number, line))
                lines.append(number)
    names = dict.fromkeys(name for one in objects for name in one)
    return {name: _column(path, lines, name, [one.get(name) for one in objects]) for name in names}, lines


def _object(path: Path, number: int, line: str) -> dict[str, Any]:
    expected = 'expected one object a line, as in {"text": "it is fine", "label": "good"}'
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        said = error.msg if isinstance(error, json.JSONDecodeError) else "it is nested too deeply"
        raise HeftError(f"{path}, line {number} is no JSON ({said}): {_shown(line)}; {expected}.") from error
    if not isinstance(value, dict):
        raise HeftError(f"{path}, line {number} is no JSON object: {_shown(line)}; {expected}.")
    return value


def _column(path: Path, lines: Sequence[int], name: str, values: list[Any]) -> pa.ChunkedArray:
    for number, value in zip(lines, values, strict=True):
        try:
            json.dumps(value, ensure_ascii=False).encode()
        except UnicodeEncodeError:
            raise HeftError(
                f"{path}, line {number}: {name} holds half a character (a lone surrogate), which is not valid Unicode."
            ) from None
    try:
        return pa.chunked_array([pa.array(values)])
    except (pa.ArrowException, OverflowError):
        pass  # values of several types, or whole numbers of more than 64 bits
    nested = next((place for place, value in enumerate(values) if isinstance(value, list | dict)), None)
    if nested is not None:
        raise HeftError(
            f"{path}, line {lines[nested]}: {name} holds {_shown(json.dumps(values[nested]))}, and something else in "
            "other lines; expected the same kind of value in each."
        )
    texts = [value if value is None or isinstance(value, str) else json.dumps(value) for value in values]
    return pa.chunked_array([pa.array(texts, pa.large_string())])


def _shown(line: str) -> str:
    text = line.strip()
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"
