"""Whether each method and action says how many further trained models it needs, and members have what it needs."""

from collections.abc import Iterable

from heft.auxiliary.asked import OF_THE_RUN, models_each
from heft.auxiliary.kinds import kind_named, kinds_for
from heft.curation.chosen import ChosenAction
from heft.ensembles.kinds import runs_of
from heft.errors import HeftError
from heft.registry import find
from heft.variants import Scorer


def check_further_models(methods: Iterable[Scorer], actions: Iterable[ChosenAction], where: str) -> None:
    """Raises HeftError where the option that says how many is missing; `where` begins the sentence."""
    asking = [("methods", find("methods", scorer.method), scorer.options) for scorer in methods]
    asking += [("actions", action.declaration, action.options) for action in actions]
    for key, declaration, options in asking:
        try:
            for kind in kinds_for(declaration.fields["needs"]).values():
                models_each(kind, declaration, options)
        except HeftError as error:
            raise HeftError(f"{where}.{key}: {error}") from error


def check_members(methods: Iterable[Scorer], ensemble: str, where: str) -> None:
    """Raises HeftError where members that are further trained models keep no state of a role that a method needs."""
    if not (runs := runs_of(ensemble)):
        return
    kept = {"dynamics", *kind_named(runs).keeps}
    for scorer in methods:
        if missing := sorted(OF_THE_RUN & set(find("methods", scorer.method).fields["needs"]) - kept):
            raise HeftError(
                f"{where}: method {scorer.method} needs {missing[0]} states, which {runs}, the kind of its members, "
                "does not keep; add them to its `keeps`, or leave the method out"
            )
