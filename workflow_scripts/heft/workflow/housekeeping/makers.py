"""Tells which of the things that the present configuration does not ask for are its own, and may go unasked."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from heft.errors import HeftError
from heft.workflow.housekeeping.unplanned import Planned

CACHE = "features"  # stands in the place of an experiment, to agree to the removal of what many may share
UNKNOWN = "no run of this configuration has noted that it made it"


@dataclass(frozen=True)
class Kept:
    """Why something of an experiment stays until a person agrees to its removal."""

    experiment: str
    why: str


class MayBeKept(Protocol):
    """A file or a run that is not asked for."""

    @property
    def kept(self) -> Kept | None: ...


@dataclass(frozen=True)
class Makers:
    """What each configuration made (`heft.workflow.housekeeping.configurations`); `present` is the one that tidies."""

    present: str
    made: Mapping[str, Planned]

    def keeps_file(self, path: str) -> Kept | None:
        """Why a file that is not asked for stays; None where it may go."""
        return self._keeps(Path(path).parts[1], lambda made: made.has_made_file(path))

    def keeps_run(self, key: str) -> Kept | None:
        """Why a tracked run that is not asked for stays; None where it may go."""
        return self._keeps(key.partition("/")[0], lambda made: made.has_made_run(key))

    def keeps_features(self, encoder: str) -> Kept | None:
        """Why features of an encoder that no experiment asks for stay in the cache; None where they may go."""
        return self._keeps(CACHE, lambda made: made.asks_for_features(encoder))

    def _keeps(self, experiment: str, is_among: Callable[[Planned], bool]) -> Kept | None:
        makers = {label for label, made in self.made.items() if is_among(made)}
        others = sorted(label or "config.yaml alone" for label in makers - {self.present})
        if others:
            return Kept(experiment, f"made with {', '.join(others)}")
        return None if self.present in makers else Kept(experiment, UNKNOWN)


def agreed(value: Any, unasked: Iterable[MayBeKept]) -> set[str]:
    """The experiments to whose removal `--config confirm=...` agrees: all for `true`, else those that it names.

    Raises HeftError where it names one of which nothing is kept.
    """
    kept = {thing.kept.experiment for thing in unasked if thing.kept}
    if value is None or str(value).lower() == "false":
        return set()
    if str(value).lower() == "true":
        return kept
    names = [str(name) for name in (value if isinstance(value, list | tuple) else [value])]
    for name in names:
        if name not in kept:
            there = ", ".join(sorted(kept)) or "none"
            raise HeftError(
                f"confirm is {value!r}, and nothing of an experiment {name} waits for that; allowed: true, or a list "
                f"of these experiments: {there}."
            )
    return set(names)


def may_go(unasked: MayBeKept, experiments: Collection[str]) -> bool:
    """Whether something goes, where a person has agreed to the removal of these experiments."""
    return unasked.kept is None or unasked.kept.experiment in experiments
