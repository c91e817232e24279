"""Which further trained models an experiment asks for, how they are trained, and which of their states are kept."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from heft.auxiliary.asked import models_asked
from heft.auxiliary.kinds import kind_named, kinds_for
from heft.ensembles.kinds import kind_named as ensemble_named
from heft.ensembles.kinds import runs_of
from heft.registry import find
from heft.variants import Scorer
from heft.workflow.configuration.experiment import Experiment
from heft.workflow.configuration.given_predictions import are_given
from heft.workflow.planning import paths
from heft.workflow.planning.held_out import asked_by_all

KEPT_OF_THE_BASE = ["final", "spaced", "early", "best", "last"]


def needs_of(scorer: Scorer) -> set[str]:
    """What the scorer's method needs."""
    return set(find("methods", scorer.method).fields["needs"])


def groups_of(experiment: Experiment, scorer: str) -> dict[str, list[int]]:
    """{kind: groups} of further trained models that a scorer asks for; none whose predictions a person gives."""
    asking, size = experiment.scorers[scorer]
    asked = models_asked(find("methods", asking.method), asking.options, runs_of(asking.ensemble), size)
    data = experiment.settings.data
    return {kind: kind_named(kind).groups(n) for kind, n in asked.items() if not are_given(data, kind)}


def all_groups(experiment: Experiment) -> dict[str, list[int]]:
    """{kind: groups} that some scorer or action of the experiment asks for."""
    groups: dict[str, set[int]] = {}
    for scorer in experiment.scorers:
        for kind, numbers in groups_of(experiment, scorer).items():
            groups.setdefault(kind, set()).update(numbers)
    for held_out in asked_by_all(experiment):
        for kind, numbers in held_out.groups(experiment).items():
            groups.setdefault(kind, set()).update(numbers)
    return {kind: sorted(numbers) for kind, numbers in groups.items()}


def files_of(groups: Mapping[str, list[int]], experiment: str, seed: str) -> list[str]:
    """The files of the states of some groups."""
    folders = [
        paths.AUXILIARY.format(e=experiment, s=seed, kind=paths.folder_of_kind(kind), g=group)
        for kind, numbers in groups.items()
        for group in numbers
    ]
    return [file for folder in folders for file in paths.states_in(folder)]


def dynamics_files(experiment: Experiment, scorer: str, seed: str) -> list[str]:
    """What was recorded of each epoch, of every run that a scorer needs it of."""
    asking, _ = experiment.scorers[scorer]
    if "dynamics" not in needs_of(asking):
        return []
    runs = runs_of(asking.ensemble)
    groups = groups_of(experiment, scorer).get(runs, [])
    further = [
        paths.DYNAMICS_OF_GROUP.format(e=experiment.name, s=seed, kind=paths.folder_of_kind(runs), g=group)
        for group in groups
    ]
    return [paths.DYNAMICS.format(e=experiment.name, s=seed), *further]


def continued_files(experiment: str, seed: str, kind: str, group: int) -> list[str]:
    """The checkpoints of the runs that a group goes on from; nothing where its kind starts anew."""
    continued = kind_named(kind).continues
    if not continued:
        return []
    numbers, of_base = kind_named(kind).numbers(group), kind_named(continued).first_is_base
    base = states_of_the_base(experiment, seed) if of_base and 0 in numbers else []
    further = {kind_named(continued).group_of(number) for number in numbers if number > 0 or not of_base}
    return [*base, *files_of({continued: sorted(further)}, experiment, seed)]


def states_of_the_base(experiment: str, seed: str) -> list[str]:
    """The checkpoints of the base model."""
    return paths.states_in(paths.CHECKPOINTS.format(e=experiment, s=seed))


def kept(experiment: Experiment, kind: str = "") -> dict[str, Any]:
    """Which states outlive training: of the base model (`kind` empty), or of further trained models of a kind."""
    ensembles = [
        (ensemble_named(scorer.ensemble), size, needs_of(scorer))
        for scorer, size in experiment.scorers.values()
        if scorer.ensemble
    ]
    latest = max((size for ensemble, size, _ in ensembles if ensemble.earlier_epochs), default=0)
    if kind:
        # Members that are runs of their own are taken as they ended.
        return {"roles": list(kind_named(kind).keeps), "latest": latest if kind_named(kind).need else 0}
    asked_again = any(ensemble.perturbs and "dynamics" in needs for ensemble, _, needs in ensembles)
    return {"roles": [*KEPT_OF_THE_BASE, "every"] if asked_again else KEPT_OF_THE_BASE, "latest": latest}


def checkpoint_settings(experiment: Experiment, kind: str = "") -> dict[str, Any]:
    """Which epoch states have which role, of the base model or of further trained models of a kind."""
    chosen = asdict(experiment.settings.checkpoints)
    return chosen | ({"final": kind_named(kind).final} if kind and kind_named(kind).final else {})


def fine_tuning_of(experiment: Experiment, kind: str) -> dict[str, Any]:
    """The settings of fine-tuning; nothing for a kind that they do not concern."""
    return asdict(experiment.settings.fine_tuning) if kind_named(kind).fine_tuning else {}


def trained_on_validation(scorer: Scorer) -> bool:
    """Whether further models that the method needs are trained on validation labels."""
    return any(kind.trains_on_validation for kind in kinds_for(needs_of(scorer)).values())


def files_of_kinds(scorer: Scorer) -> list[Path]:
    """The files of the kinds of further models that a scorer's method needs, and of its ensemble."""
    further = [find("auxiliary", name).file for name in kinds_for(needs_of(scorer))]
    return [*further, *([ensemble_named(scorer.ensemble).declaration.file] if scorer.ensemble else [])]
