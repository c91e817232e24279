"""Reads configuration files strictly: what YAML leaves open, or silently drops, is one sentence with file and line.

Snakemake reads them too, but takes the last of two equal keys, `1e-2` for text, and all numbers in a mapping or list of
`--config` for text.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from heft.errors import HeftError

COMMAND_LINE = "--config"


class StrictLoader(yaml.SafeLoader):
    """YAML with numbers as people write them, where a key may stand once in a mapping."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        """Raises a ConstructorError where a key stands twice, or is no text."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                continue
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key must be text", key.start_mark)
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f'the key "{key.value}" stands there twice', key.start_mark
                )
            seen.add(key.value)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


# YAML 1.1 wants a point and a sign (1.0e-2); 1.2, and people, do not.
StrictLoader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?(?:\d+\.?\d*|\.\d+)[eE][-+]?\d+$"), list("-+.0123456789")
)


def read_file(file: Path) -> dict[str, Any]:
    """The mapping in a file; raises HeftError with the file, and the line where there is one."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise HeftError(f"{file} cannot be read: {(error.strerror or str(error)).lower()}") from error
    except UnicodeDecodeError as error:
        raise HeftError(f"{file} is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    content = parse(text, str(file))
    if not isinstance(content, dict):
        what = "empty" if content is None else f"a {type(content).__name__}"
        raise HeftError(f"{file} is {what}; it must be a mapping (key: value) of YAML")
    return content


def parse(text: str, name: str) -> Any:
    """What a text in YAML says; raises HeftError with `name` and the line."""
    try:
        return StrictLoader(text).get_single_data()
    except yaml.MarkedYAMLError as error:
        line = f" line {error.problem_mark.line + 1}:" if error.problem_mark else ""
        raise HeftError(f"{name}:{line} {' '.join(str(error.problem or error.context).split())}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise HeftError(f"{name} is not valid YAML: {' '.join(str(error).split())[:200]}") from error


def read_arguments(arguments: Iterable[str] | None) -> dict[str, Any]:
    """What `--config key=value ...` says, with numbers as numbers and quoted text as text."""
    given: dict[str, Any] = {}
    for key, _, value in (argument.partition("=") for argument in arguments or ()):
        given = merged(given, {key: parse(value, f"{COMMAND_LINE} {key}")})
    return given


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`below` with `above` over it, mapping by mapping, as Snakemake joins files."""
    joined = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(joined.get(key), Mapping)
        joined[key] = merged(joined[key], value) if both else value
    return joined


class Sources:
    """The files and arguments of a configuration, the one that wins last."""

    def __init__(self, files: Sequence[Path], arguments: Iterable[str] | None = None) -> None:
        self._sources = [(file.name, read_file(file)) for file in files]
        if given := read_arguments(arguments):
            self._sources.append((COMMAND_LINE, given))

    @property
    def whole(self) -> dict[str, Any]:
        """All of them joined."""
        joined: dict[str, Any] = {}
        for _, settings in self._sources:
            joined = merged(joined, settings)
        return joined

    def file_of(self, path: Sequence[Any]) -> str:
        """The name of the one in which the value of a path stands, or most of the path; of several, that which wins."""
        return max(self._sources[::-1], key=lambda source: _known_steps(source[1], path))[0]


def _known_steps(value: Any, path: Sequence[Any]) -> int:
    for number, step in enumerate(path):
        known = isinstance(value, Mapping) and step in value
        if not known and not (isinstance(value, list) and isinstance(step, int) and step < len(value)):
            return number
        value = value[step]
    return len(path)
