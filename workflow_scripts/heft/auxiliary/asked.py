"""Which further trained models a method or an action asks for, by its needs and options; without torch."""

from collections.abc import Iterable, Mapping
from typing import Any

from heft.auxiliary.kinds import Kind, kinds_for
from heft.errors import HeftError
from heft.registry import Declaration

# Needs that the training run of a member serves itself.
OF_THE_RUN = frozenset({"final", "spaced", "early", "dynamics"})


def asks_for_runs(needs: Iterable[str]) -> bool:
    """Whether a method reads the member's own training run, or models that go on from it."""
    wanted = set(needs)
    return bool(OF_THE_RUN & wanted) or any(kind.continues for kind in kinds_for(wanted).values())


def models_each(kind: Kind, asking: Declaration, options: Mapping[str, Any]) -> int:
    """How many models of a kind a method asks for at each member, or an action once.

    Raises HeftError where the option that says so is missing.
    """
    if isinstance(kind.models, int):
        return kind.models
    if kind.models not in asking.options:
        raise HeftError(
            f"{asking.word} {asking.name} needs {kind.need}, but has no option {kind.models}, which says how many; add "
            f"it to {asking.file.name}."
        )
    return int(asking.value_of(kind.models, options))


def models_asked(method: Declaration, options: Mapping[str, Any], runs: str, members: int) -> dict[str, int]:
    """{kind: n} of the models that a method needs at `members` members: their numbers are 0..n-1.

    runs: the kind whose models the members of the ensemble are; empty where the trained model serves all members.
    """
    needs, each_apart = method.fields["needs"], bool(runs)
    asked = {
        name: (members if each_apart else 1) * models_each(kind, method, options)
        for name, kind in kinds_for(needs).items()
    }
    if each_apart and members > 1 and asks_for_runs(needs):
        asked[runs] = max(members, asked.get(runs, 0))
    return asked
