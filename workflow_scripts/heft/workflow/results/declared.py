"""What an experiment's settings name, as the report speaks of it: its methods, baselines and measure."""

from collections.abc import Collection, Mapping
from typing import Any

from heft.declaration import Declaration
from heft.registry import declarations, find
from heft.reporting.measure import Measure
from heft.reporting.wording import in_sentence

Entry = str | Mapping[str, Any]  # a name, or {name: options}


def used_declarations(room: str, configured: Collection[Entry], used: Collection[str]) -> dict[str, Declaration]:
    """The declarations of a room that rows name, and those of a person's own functions that the settings name."""
    own = {name: find(room, name) for name in map(name_of, configured) if ":" in name and name in used}
    return {name: found for name, found in {**declarations(room), **own}.items() if name in used}


def measure_of(configured: Entry) -> Measure:
    """The measure that an experiment is judged by."""
    declared = find("evaluation/metrics", name_of(configured))
    fields = declared.fields
    return Measure(
        name=declared.name,
        title=in_sentence(fields["title"]),
        unit=fields["unit"],
        higher_is_better=fields["higher_is_better"],
        chosen_by=fields["chosen_by"],
        does=declared.summary[:1].upper() + declared.summary[1:],
    )


def name_of(configured: Entry) -> str:
    """The name of an entry of a configuration."""
    return configured if isinstance(configured, str) else next(iter(configured))
