"""Predictions of further trained models that an experiment's actions ask for, and the files in which they stand."""

from collections.abc import Iterable
from typing import NamedTuple

from heft.auxiliary.asked import models_each
from heft.auxiliary.kinds import kind_named, kinds_for
from heft.curation.chosen import ChosenAction
from heft.workflow.configuration.experiment import Experiment
from heft.workflow.planning import paths


class HeldOut(NamedTuple):
    """What the first n models of a kind predict of the training examples that they held out."""

    kind: str
    n: int

    def file(self, pattern: str, experiment: str, seed: str | int) -> str:
        """The path of one of its files, of a pattern in `paths`."""
        return pattern.format(e=experiment, s=seed, kind=paths.folder_of_kind(self.kind), n=self.n)

    @property
    def groups(self) -> dict[str, list[int]]:
        """{kind: the groups in which the models are trained}."""
        return {self.kind: kind_named(self.kind).groups(self.n)}


def asked_by(action: ChosenAction) -> dict[str, HeldOut]:
    """{need: predictions} of an action; it gets the models of member 0."""
    return {
        kind.need: HeldOut(name, models_each(kind, action.declaration, action.options))
        for name, kind in kinds_for(action.needs).items()
    }


def asked_by_all(actions: Iterable[ChosenAction]) -> list[HeldOut]:
    """All predictions that some of the actions ask for, each once."""
    return sorted({held_out for action in actions for held_out in asked_by(action).values()})


def files_by_action(
    actions: Iterable[ChosenAction], pattern: str, experiment: str, seed: str
) -> dict[str, dict[str, str]]:
    """{slug of an action: {need: file}}, of a pattern in `paths`."""
    return {
        action.slug: {need: held_out.file(pattern, experiment, seed) for need, held_out in asked_by(action).items()}
        for action in actions
    }


def trained_on_validation_for(experiment: Experiment) -> bool:
    """Whether further models that an action of the experiment needs are trained on validation labels."""
    return any(kind.trains_on_validation for action in experiment.actions for kind in kinds_for(action.needs).values())
