"""Predictions of further trained models that an experiment's actions ask for, and the files in which they stand."""

from collections.abc import Iterable
from typing import NamedTuple

from heft.auxiliary.asked import models_each
from heft.auxiliary.kinds import kind_named, kinds_for
from heft.curation.chosen import ChosenAction
from heft.registry import find
from heft.variants import Scorer
from heft.workflow.configuration.experiment import Experiment
from heft.workflow.configuration.given_predictions import are_given
from heft.workflow.planning import paths


class HeldOut(NamedTuple):
    """What the first n models of a kind predict of the training examples that they held out."""

    kind: str
    n: int

    def file(self, pattern: str, experiment: str, seed: str | int) -> str:
        """The path of one of its files, of a pattern in `paths`."""
        return pattern.format(e=experiment, s=seed, kind=paths.folder_of_kind(self.kind), n=self.n)

    def groups(self, experiment: Experiment) -> dict[str, list[int]]:
        """{kind: the groups in which the models are trained}; none where a person gives their predictions."""
        given = are_given(experiment.settings.data, self.kind)
        return {} if given else {self.kind: kind_named(self.kind).groups(self.n)}


def asked_by(action: ChosenAction) -> dict[str, HeldOut]:
    """{need: predictions} of an action; it gets the models of member 0."""
    return {
        kind.need: HeldOut(name, models_each(kind, action.declaration, action.options))
        for name, kind in kinds_for(action.needs).items()
    }


def given_for(experiment: Experiment, scorer: Scorer) -> list[HeldOut]:
    """The predictions that a scorer reads in the place of models, where a person gives some."""
    kinds = kinds_for(find("methods", scorer.method).fields["needs"])
    given = {name: kind for name, kind in kinds.items() if are_given(experiment.settings.data, name)}
    return [HeldOut(name, int(kind.models)) for name, kind in given.items()]


def asked_by_all(experiment: Experiment) -> list[HeldOut]:
    """All predictions that some actions ask for, or scorers read, each once."""
    by_scorers = (given_for(experiment, scorer) for scorer, _ in experiment.scorers.values())
    by_actions = (asked_by(action).values() for action in experiment.actions)
    return sorted({held_out for asked in (*by_scorers, *by_actions) for held_out in asked})


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
