"""The keys of an experiment that name a file of a room, or a person's own function, with their options."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from heft.errors import HeftError
from heft.options import Named, checked_options, named
from heft.own_module import find_module
from heft.registry import find


@dataclass(frozen=True)
class NamedKey:
    """A key, as a dotted path in the settings, and the room that its names are of.

    several: the value is a list of them. lists: an option may be a list of values, each of which is a variant.
    optional: the value may be null.
    """

    path: str
    room: str
    several: bool = False
    lists: bool = False
    optional: bool = False


KEYS = (
    NamedKey("data.source", "data/sources"),
    NamedKey("encoder", "data/encoders", optional=True),
    NamedKey("model", "models"),
    NamedKey("training.augmentation", "training/augmentations", several=True),
    NamedKey("training.optimiser", "training/optimisers"),
    NamedKey("training.schedule", "training/schedules"),
    NamedKey("methods", "methods", several=True, lists=True),
    NamedKey("baselines", "baselines", several=True),
    NamedKey("actions", "curation", several=True, lists=True),
    NamedKey("objective", "objectives"),
    NamedKey("measure", "evaluation/metrics"),
)
# Options of a kind stand beside its name: `{kind: gaussian, sizes: [5], sigma: 0.1}`.
KIND = NamedKey("ensembles", "ensembles", several=True)


@dataclass(frozen=True)
class Entry:
    """One name in the settings, with its options as written.

    where: the path of the name, such as `methods[2]`. beside: the path in which the options stand.
    """

    where: str
    key: NamedKey
    name: str
    options: Mapping[str, Any]
    beside: str

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
        for index, listed in enumerate(value if key.several else [value] if value is not None else []):
            where, (name, options) = f"{key.path}[{index}]" if key.several else key.path, named(listed)
            yield Entry(where, key, name, options, f"{where}.{name}")
    for index, ensemble in enumerate(settings.ensembles):
        where = f"{KIND.path}[{index}]"
        yield Entry(f"{where}.kind", KIND, ensemble.kind, ensemble.model_extra or {}, where)


def check_functions(settings: Any, where: str, roots: Sequence[Path]) -> None:
    """Says what the schema does not: of a registered name that stands alone, and of a person's own functions.

    Raises HeftError, in a sentence that `where` begins, where a name lacks an option that has no default, the module of
    an own function is in none of `roots`, or an option is not its own or not allowed.
    """
    for entry in entries(settings):
        if entry.is_own and find_module(entry.name, roots) is None:
            raise HeftError(
                f'{where}.{entry.where} is "{entry.name}"; no such module beside the configuration or in the project'
            )
        room, name = entry.key.room, entry.name
        if not entry.is_own and entry.options:
            continue
        each = each_value(room, name, entry.options) if entry.key.lists else [entry.options]
        for options in each:
            checked_options(find(room, name, roots), options, f"{where}.{entry.beside}.")


def chosen(room: str, entry: Named) -> tuple[str, dict[str, Any]]:
    """Name and options that are not at their default."""
    name, options = named(entry)
    return name, find(room, name).changed_options(options)


def each_chosen(room: str, listed: Sequence[Named]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same of each entry of a list, once for each value of an option that is a list of values."""
    for entry in listed:
        name, options = named(entry)
        for values in each_value(room, name, options):
            yield name, find(room, name).changed_options(values)


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
    return isinstance(value, list) and (not takes_lists or all(isinstance(element, list) for element in value))
