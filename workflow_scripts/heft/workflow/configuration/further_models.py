"""Whether methods and actions say how many further trained models they need, and members have what a method needs."""

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
    """Raises HeftError where a method needs what members that are further trained models do not have.

    That is a state of a role that their kind does not keep, or models that go on from those of another kind.
    """
    runs = runs_of(ensemble)
    if not runs:
        return
    kept = {"dynamics", *kind_named(runs).keeps}
    for scorer in methods:
        needs = find("methods", scorer.method).fields["needs"]
        said = f"{where}: method {scorer.method} needs"
        if missing := sorted(OF_THE_RUN & set(needs) - kept):
            raise HeftError(
                f"{said} {missing[0]} states, which {runs}, the kind of the members, does not keep; add them to its "
                "`keeps`, or leave the method out"
            )
        for name, kind in kinds_for(needs).items():
            if kind.continues and kind.continues != runs:
                raise HeftError(
                    f"{said} {name}, which continue {kind.continues}, but the members are {runs}; leave the method out"
                )
