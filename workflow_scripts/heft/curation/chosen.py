"""An action as an experiment asks for it: a registered name and its options."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self

from heft.registry import Declaration, find
from heft.variants import Scorer

WHOLE = 1.0  # the fraction of an action that takes none


@dataclass(frozen=True)
class ChosenAction:
    """A registered action and its non-default options."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, entry: str | Mapping[str, Mapping[str, Any]]) -> Self:
        """The action that `name` or `{name: {option: value}}` asks for."""
        return cls(entry) if isinstance(entry, str) else cls(*next(iter(entry.items())))

    @property
    def entry(self) -> str | dict[str, dict[str, Any]]:
        """What `of` takes."""
        return {self.name: dict(self.options)} if self.options else self.name

    @property
    def slug(self) -> str:
        """`remove`, `reweight-weight_0.25`: names the action in plans, rows and runs."""
        return Scorer(self.name, self.options).slug

    @property
    def declaration(self) -> Declaration:
        """What the action's file declares."""
        return find("curation", self.name)

    @property
    def changes(self) -> Sequence[str]:
        """Which columns of a plan the action may change."""
        declared: Sequence[str] = self.declaration.fields["changes"]
        return declared

    @property
    def needs(self) -> Sequence[str]:
        """The further trained models that the action asks for."""
        declared: Sequence[str] = self.declaration.fields["needs"]
        return declared

    def fractions(self, fractions: Sequence[float]) -> list[float]:
        """Those of the experiment, or 1 alone where the action takes none."""
        return list(fractions) if self.declaration.fields["takes_fractions"] else [WHOLE]
