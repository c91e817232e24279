"""Whether each method and action says how many further trained models it needs."""

from collections.abc import Iterable

from heft.auxiliary.asked import models_each
from heft.auxiliary.kinds import kinds_for
from heft.curation.chosen import ChosenAction
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
