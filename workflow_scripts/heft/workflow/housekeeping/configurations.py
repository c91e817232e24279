"""Remembers what each configuration of a project made, so that tidying by one does not take what another made.

A configuration is known by what defines it on the command line: its files beside config.yaml, and `definitions` and
`defaults` given by `--config`. Each run adds what its experiments ask for; `tidy_now` forgets, of its own
configuration, what is no longer asked for.
"""

import json
import os
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from heft.artifacts import read_json, write_json
from heft.errors import HeftError
from heft.workflow.places import STATE

FILE = STATE / "configurations.json"
DEFAULT = "config.yaml"
DEFINING = ("definitions", "defaults")
Names = dict[str, dict[str, list[str]]]  # as `heft.workflow.housekeeping.unplanned.planned_names` gives them


def label_of(files: Iterable[str | Path], given: Mapping[str, Any]) -> str:
    """What selects a configuration on the command line; empty for config.yaml alone.

    given: the values of `--config`.
    """
    paths = [os.path.relpath(file) for file in files]
    named = [path if not path.startswith("..") else os.path.abspath(path) for path in paths if path != DEFAULT]
    values = {name: given[name] for name in DEFINING if name in given}
    words = ["--configfile", *dict.fromkeys(named)] if named else []
    words += [f"--config {json.dumps(values, sort_keys=True)}"] if values else []
    return " ".join(words)


def note_made(label: str, names: Mapping[str, Mapping[str, Iterable[str]]]) -> None:
    """Adds what a run of a configuration asks for to what it asked for before.

    If the disk is full or may not be written, there is no note, and `tidy_now` asks.
    """
    noted = made_by_each()
    ours = noted.setdefault(label, {})
    for experiment, asked in names.items():
        before = ours.get(experiment, {})
        ours[experiment] = {kind: sorted({*before.get(kind, []), *values}) for kind, values in asked.items()}
    with suppress(OSError):
        write_json(FILE, noted)


def forget(label: str, names: Mapping[str, Mapping[str, Iterable[str]]], experiments: Collection[str] = ()) -> None:
    """Leaves of a configuration's note what it still asks for, and of all others' what is not of these experiments."""
    noted = made_by_each()
    left = {other: {e: kinds for e, kinds in made.items() if e not in experiments} for other, made in noted.items()}
    ours = noted.get(label, {})
    left[label] = {
        experiment: {kind: sorted(set(made) & set(names[experiment][kind])) for kind, made in kinds.items()}
        for experiment, kinds in ours.items()
        if experiment in names
    }
    write_json(FILE, {other: made for other, made in left.items() if made})


def made_by_each() -> dict[str, Names]:
    """{configuration: names} of all that are remembered; raises HeftError where the file is damaged."""
    if not FILE.exists():
        return {}
    try:
        noted = read_json(FILE)
        return {
            label: {e: {k: [str(v) for v in values] for k, values in kinds.items()} for e, kinds in names.items()}
            for label, names in noted.items()
        }
    except (HeftError, AttributeError, TypeError) as error:
        raise HeftError(
            f"{FILE} is damaged: it tells which configuration made what; delete it, and `tidy_now` asks before it "
            "removes what no run has noted since."
        ) from error
