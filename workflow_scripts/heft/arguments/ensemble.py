"""The ensemble that a caller asks for."""

from collections.abc import Mapping
from typing import Any

from heft.arguments.chosen import name_and_options
from heft.arguments.needed import Needed
from heft.ensembles.kinds import kind_named
from heft.errors import HeftError
from heft.options import checked_options, fault

MEMBERS = 5


def chosen_ensemble(given: Any, members: int | None, needed: Needed) -> tuple[str | None, Mapping[str, Any], int]:
    """Kind, options and number of members; `None` and one member where there is no ensemble.

    given: a name, `{name: options}`, or `None`. Raises HeftError where the kind is not known, the method takes none,
    there is no model, its members are no change of the one model, or their epochs cannot be asked again.
    """
    if given is None:
        if members is not None:
            raise HeftError(f"members is {members} without an ensemble; pass ensemble too, or leave members out.")
        return None, {}, 1
    name, options = name_and_options(given, "ensemble")
    kind, size = kind_named(name), MEMBERS if members is None else members
    checked_options(kind.declaration, options)
    if not needed.method.ensemble:
        raise HeftError(f"Method {needed.method.name} takes no ensemble, but ensemble is {name}.")
    if not needed.trained.runs:
        raise HeftError(f"ensemble is {name}, whose members are changes of a model; pass the model too.")
    if not kind.perturbs:
        raise HeftError(
            f"ensemble is {name}, whose members are {kind.members}: call heft.score for each of these models, and take "
            "the mean."
        )
    if said := fault("members", size, {"type": "integer"}):
        raise HeftError(f"{said}.")
    if size < 1:
        raise HeftError(f"members is {size}; an ensemble has at least 1.")
    _check_epochs(needed, name)
    return name, options, size


def _check_epochs(needed: Needed, name: str) -> None:
    """Raises HeftError where dynamics were recorded after other epochs than there are states of."""
    dynamics = needed.trained.dynamics.get(0)
    states = needed.trained.runs[0].roles["every"]
    if dynamics is not None and len(states) != len(dynamics.label_logit):
        raise HeftError(
            f"Method {needed.method.name} at the members of {name} needs checkpoints after each of the "
            f"{len(dynamics.label_logit)} epochs of dynamics, but {len(states)} are passed."
        )
