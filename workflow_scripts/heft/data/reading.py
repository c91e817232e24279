"""Calls a data source: what it raises is one sentence, and what it returns is `RawData`, or can be made of it."""

import inspect
import traceback
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from heft.data.sources.declare import RawData, Source
from heft.declaration import Declaration
from heft.errors import HeftError
from heft.faults import sentence_of
from heft.options import checked_options

LONGEST_REASON = 300


def read_source(declaration: Declaration, data_dir: Path | None, options: Mapping[str, Any] | None = None) -> RawData:
    """What the source returns; raises HeftError naming it where it fails, in whatever way, or returns something else.

    A fault of the machine, such as too little memory, stays what it is.
    """
    try:
        returned = _called(declaration, data_dir, options or {})
    except HeftError:
        raise
    except (Exception, SystemExit) as error:
        if sentence_of(error) is not None:
            raise
        frames = traceback.extract_tb(error.__traceback__)
        place = next((frame for frame in reversed(frames) if Path(frame.filename) == declaration.file), frames[-1])
        said = (str(error).strip().splitlines() or ["without a message"])[0][:LONGEST_REASON]
        raise HeftError(
            f"Data source {declaration.name} failed: {type(error).__name__}: {said.removesuffix('.')} "
            f"({Path(place.filename).name}, line {place.lineno})."
        ) from error
    return raw_data_of(returned, declaration.name)


def _called(declaration: Declaration, data_dir: Path | None, options: Mapping[str, Any]) -> Any:
    """The function's result; `data_dir` goes to a registered source, and to a person's own that has the parameter."""
    function, chosen = declaration.load(), checked_options(declaration, options)
    if isinstance(function, Source):
        return function(data_dir, **chosen)
    if not callable(function):
        raise HeftError(f"Data source {declaration.name} is {type(function).__name__}; expected a function.")
    try:
        takes_folder = "data_dir" in inspect.signature(function).parameters
    except (TypeError, ValueError):  # written in C, it does not say
        takes_folder = False
    return function(**chosen, **({"data_dir": data_dir} if takes_folder else {}))


def raw_data_of(returned: Any, source: str) -> RawData:
    """`RawData` as it is, or made of `(inputs, labels)` or a mapping of its fields."""
    if isinstance(returned, RawData):
        return returned
    if isinstance(returned, tuple) and len(returned) == 2:
        return RawData(*returned)
    known = [field.name for field in fields(RawData)]
    if not isinstance(returned, Mapping):
        kind = f"a tuple of {len(returned)}" if isinstance(returned, tuple) else type(returned).__name__
        raise HeftError(
            f"Data source {source} returned {kind}; expected RawData, (inputs, labels), or a dict of its fields: "
            f"{', '.join(known)}."
        )
    for name in returned:
        if name not in known:
            raise HeftError(f"Data source {source} returned a dict with {name!r}; allowed: {', '.join(known)}.")
    for name in known[:2]:
        if name not in returned:
            raise HeftError(f"Data source {source} returned a dict without {name!r}.")
    return RawData(**returned)
