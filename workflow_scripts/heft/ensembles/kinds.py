"""The kinds of ensembles, as their files declare them; without torch."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from heft.errors import HeftError
from heft.options import checked_options
from heft.registry import Declaration, declarations, find


@dataclass(frozen=True, kw_only=True)
class EnsembleKind:
    """What the decorator of a kind says (`heft.ensembles.declare.ensemble`), and the kind's declaration."""

    declaration: Declaration
    title: str
    members: str
    perturbs: bool
    earlier_epochs: bool
    runs: str

    def check(self, options: Mapping[str, Any]) -> None:
        """Raises HeftError where an option is not this kind's, or is not what the kind's signature allows."""
        name = self.declaration.name
        for given in sorted(set(options) - set(self.declaration.options)):
            owners = [kind for kind, declared in declarations("ensembles").items() if given in declared.options]
            raise HeftError(f"{given} is an option of {' and '.join(owners) or 'no kind'}, not of {name}")
        checked_options(self.declaration, options)


def kind_named(name: str) -> EnsembleKind:
    """The kind of that name; raises HeftError where there is none."""
    declared = find("ensembles", name)
    return EnsembleKind(declaration=declared, **declared.fields)


def runs_of(name: str | None) -> str:
    """The kind of further trained models that the members are, one each; empty where all are of the trained model."""
    return kind_named(name).runs if name else ""
