"""What an experiment's settings name, as the report speaks of it: its methods, baselines, measure and actions."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from heft.curation.chosen import ChosenAction
from heft.declaration import Declaration
from heft.registry import declarations, find
from heft.reporting.measure import Measure
from heft.reporting.treatment import Action
from heft.reporting.wording import in_sentence, options_in_words, qualified

Entry = str | Mapping[str, Any]  # a name, or {name: options}


def used_declarations(room: str, configured: Collection[Entry], used: Collection[str]) -> dict[str, Declaration]:
    """The declarations of a room that rows name, and those of a person's own functions that the settings name."""
    own = {name: find(room, name) for name in map(name_of, configured) if ":" in name and name in used}
    return {name: declared for name, declared in {**declarations(room), **own}.items() if name in used}


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
        objective=in_sentence(find("objectives", fields["chosen_by"]).fields["title"]),
        does=declared.summary[:1].upper() + declared.summary[1:],
    )


def actions_of(entries: Iterable[Entry]) -> dict[str, Action]:
    """Each action by its slug, which stands in the column `action`; options that are not the default are named."""
    return {chosen.slug: _action(chosen) for chosen in map(ChosenAction.of, entries)}


def _action(chosen: ChosenAction) -> Action:
    fields, options = chosen.declaration.fields, options_in_words(chosen.options)
    return Action(
        title=qualified(fields["title"], options),
        verb=fields["verb"],
        gerund=fields["gerund"],
        participle=qualified(fields["participle"], options),
        noun=fields["noun"],
        does=fields["does"],
        changes=fields["changes"],
    )


def name_of(configured: Entry) -> str:
    """The name of an entry of a configuration."""
    return configured if isinstance(configured, str) else next(iter(configured))
