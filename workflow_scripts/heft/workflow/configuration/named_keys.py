"""The keys of an experiment that name a file of a room, or a person's own function, with their options."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from heft.errors import HeftError
from heft.registry import find

Named = str | dict[str, dict[str, Any]]  # `name`, or `{name: {option: value}}`


@dataclass(frozen=True)
class NamedKey:
    """A key, as a dotted path in the settings, and the room that its names are of.

    several: the value is a list of them. lists: an option may be a list of values, each of which is a variant.
    """

    path: str
    room: str
    several: bool = False
    lists: bool = False


KEYS = (
    NamedKey("data.source", "data/sources"),
    NamedKey("model", "models"),
    NamedKey("methods", "methods", several=True, lists=True),
    NamedKey("baselines", "baselines", several=True),
    NamedKey("actions", "curation", several=True, lists=True),
    NamedKey("objective", "objectives"),
    NamedKey("measure", "evaluation/metrics"),
)


@dataclass(frozen=True)
class Entry:
    """One name in the settings, with its options as written; `where` is its path, such as `methods[2]`."""

    where: str
    key: NamedKey
    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_own(self) -> bool:
        """Whether it names a person's own function."""
        return ":" in self.name


def entries(settings: Any) -> Iterator[Entry]:
    """All names in the settings of an experiment, by key."""
    for key in KEYS:
        value = settings
        for part in key.path.split("."):
            value = getattr(value, part)
        if not key.several:
            yield Entry(key.path, key, *named(value))
            continue
        for index, one in enumerate(value):
            yield Entry(f"{key.path}[{index}]", key, *named(one))


def named(entry: Named) -> tuple[str, dict[str, Any]]:
    """Name and options of an entry that is `name` or `{name: {option: value}}`."""
    if isinstance(entry, str):
        return entry, {}
    return next((name, dict(options)) for name, options in entry.items())


def chosen(room: str, entry: Named) -> tuple[str, dict[str, Any]]:
    """Name and options that are not at their default."""
    name, options = named(entry)
    return name, find(room, name).changed_options(options)


def check_measure(measure: Named, where: str) -> None:
    """Raises HeftError where there is no objective by which validation chooses for the measure; `where`: its key."""
    name, _ = named(measure)
    try:
        find("objectives", find("evaluation/metrics", name).fields["chosen_by"])
    except HeftError as error:
        raise HeftError(f'{where} is "{name}", which validation cannot choose by: {error}') from error


def each_value(room: str, name: str, options: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Options with one value each, for every combination of those that are lists of values."""
    known = find(room, name).options
    values = [
        value if _is_several(value, key in known and known[key].takes_lists) else [value]
        for key, value in options.items()
    ]
    for chosen in product(*values):
        yield dict(zip(options, chosen, strict=True))


def _is_several(value: Any, takes_lists: bool) -> bool:
    return isinstance(value, list) and (not takes_lists or all(isinstance(one, list) for one in value))
