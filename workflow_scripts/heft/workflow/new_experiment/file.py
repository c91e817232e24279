"""Writes the settings as a configuration file of at most thirty lines, each of which says what it is for."""

import json
import os
import re
from pathlib import Path
from typing import Any

from heft.workflow.configuration.files import parse
from heft.workflow.new_experiment.choice import Choice

COLUMN = 34  # where comments start
WIDTH = 120  # of a line
SAID = {
    "seeds": "everything is done once a seed; intervals are paired over seeds",
    "validation": "what methods and the choice of a fraction look at; checked labels are worth most here",
    "noise": "no wrong labels are planted; which ones are wrong is not known, so nothing is said of detection",
    "training": "by SGD with momentum",
    "methods": "compared by what removing their lowest scores does; low scores are detrimental",
    "baselines": "finetuned: further training on the validation split",
    "ensembles": "means of scores over several models: see config.yaml",
    "actions": "or relabel, reweight",
    "fractions": "of the training split that are acted on, lowest scores first",
    "show_examples": "pictures, rows and texts in the report on this machine; a tracking server never gets them",
}


def file_of(name: str, place: Path, source: str, choice: Choice, described: str) -> str:
    """The text of the file. place: the folder that it is written to, which paths are relative to."""
    options = {key: _relative(value, place) if key == "path" else value for key, value in choice.options.items()}
    lines = [
        f"# {name}: {described}. config.yaml explains each key, and has more.",
        f"experiments: [{name}]",
        "definitions:",
        f"  {name}:",
        _line(4, "seeds", [0, 1, 2], choice),
        "    data:",
        _line(6, "source", {source: options}, choice),
        *(_line(6, split, size, choice) for split, size in choice.sizes.items()),
        _line(6, "noise", {"kind": "none"}, choice),
    ]
    if choice.encoder:
        lines.append(_line(4, "encoder", choice.encoder, choice))
    lines += [
        _line(4, "model", choice.model, choice),
        _line(4, "training", choice.training, choice),
        _line(4, "methods", choice.methods, choice),
        _line(4, "baselines", [], choice),
        _line(4, "ensembles", [], choice),
        _line(4, "actions", ["remove"], choice),
        _line(4, "fractions", choice.fractions, choice),
        _line(4, "show_examples", True, choice),
    ]
    return "\n".join(lines) + "\n"


def _line(indent: int, key: str, value: Any, choice: Choice) -> str:
    """A key with its value, and what it is for behind it, or above it where there is no place."""
    text = f"{' ' * indent}{key}: {_plain(value)}"
    said = choice.reasons.get(key) or SAID.get(key, "")
    if not said:
        return text
    whole = f"{text.ljust(COLUMN)} # {said}"
    return whole if len(whole) <= WIDTH else f"{' ' * indent}# {said}\n{text}"


def _plain(value: Any) -> str:
    """A value as YAML on one line; texts that YAML could take for something else in quotes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_plain(key)}: {_plain(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_plain, value)) + "]"
    if isinstance(value, str) and _is_word(value):
        return value
    return json.dumps(value, ensure_ascii=False)


def _is_word(text: str) -> bool:
    """Whether YAML takes a text for that text, without quotes."""
    return re.fullmatch(r"[A-Za-z./][\w./-]*", text, re.ASCII) is not None and parse(text, text) == text


def _relative(path: str, place: Path) -> str:
    return Path(os.path.relpath(path, place)).as_posix()
