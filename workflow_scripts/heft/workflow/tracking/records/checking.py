"""Whether a line of a record is an event, so that one that is none is left out and named, and stops no other."""

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

STATUSES = ("FINISHED", "FAILED", "KILLED")
LARGEST_INTEGER = 2**63 - 1
LATEST_SECONDS = 1e11  # since the epoch: the year 5138

Check = Callable[[Any], bool]


def event_of(line: bytes) -> tuple[dict[str, Any] | None, str]:
    """The event of a line, or None and why it is none."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None, "it is not JSON"
    if not isinstance(event, dict) or "event" not in event:
        return None, "it is not an event"
    return event, ""


def fault_of(event: Mapping[str, Any]) -> str:
    """What keeps an event from being delivered; empty where nothing does."""
    kind = event["event"]
    if kind not in _FIELDS:
        return f"`event` is {str(kind)[:40]!r}; known: {', '.join(_FIELDS)}"
    for name, check in ({**_EVERY, **_FIELDS[kind]}).items():
        if name not in event:
            return f"`{kind}` has no `{name}`"
        if not check(event[name]):
            return f"`{name}` of `{kind}` cannot be {str(event[name])[:40]!r}"
    return ""


def _is_text(value: Any) -> bool:
    """Text that can be written: half of a surrogate pair cannot, and mlflow's databases refuse a NUL."""
    return isinstance(value, str) and not re.search("[\0\ud800-\udfff]", value)


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isalnum()


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= LARGEST_INTEGER


def _is_time(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LATEST_SECONDS


def _is_number(value: Any) -> bool:
    """A float, or the name of one that JSON lacks."""
    if isinstance(value, str):
        return value.lower() in ("nan", "inf", "-inf")
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(_as_float(value))


def _as_float(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def _optional(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _texts_by_name(check: Check) -> Check:
    return lambda value: isinstance(value, dict) and all(_is_text(name) and check(value[name]) for name in value)


def _is_dataset(value: Any) -> bool:
    return isinstance(value, dict) and all(_is_text(value.get(name)) for name in ("name", "digest", "source"))


_EVERY: Mapping[str, Check] = {"record": _is_word, "time": _is_time}
_FIELDS: Mapping[Any, Mapping[str, Check]] = {
    "start": {
        **dict.fromkeys(("key", "name", "experiment", "stage", "variant", "action"), _is_text),
        "seed": _optional(_is_integer),
        "parameters": _texts_by_name(lambda value: _is_text(str(value))),
        "tags": _texts_by_name(_is_text),
        "parents": lambda value: isinstance(value, list) and all(map(_is_text, value)),
        "dataset": _optional(_is_dataset),
    },
    "metrics": {"step": _is_integer, "values": _texts_by_name(_is_number)},
    "artifact": {"path": _is_text, "sha256": _is_text},  # and where it is private what is `shared` in its place
    "end": {"status": lambda value: value in STATUSES, "error": _is_text},
}
