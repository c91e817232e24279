"""The lasting results of an experiment, rule by rule."""

from collections.abc import Iterable

from heft.workflow.configuration.experiment import Experiment
from heft.workflow.planning import paths
from heft.workflow.planning.held_out import asked_by_all


def lasting_files(experiment: Experiment, variants: Iterable[str]) -> list[str]:
    """The files that stay once an experiment is finished; variants: slugs of all, the unscored ones included."""
    name, variants = experiment.name, list(variants)
    once = (paths.INPUTS, paths.EXAMPLES, paths.MODEL_CHECK, paths.REPORT_RECORD)
    encoded = (paths.ENCODED,) if experiment.encoder else ()
    files = [path.format(e=name) for path in (*once, *encoded)]
    for seed in experiment.settings.seeds:
        of_seed = [*paths.SPLITS.values(), paths.TRANSFORM, paths.HISTORY, *paths.states_in(paths.CHECKPOINTS)]
        files += [path.format(e=name, s=seed) for path in of_seed]
        files += [held_out.file(paths.OUT_OF_FOLD, name, seed) for held_out in asked_by_all(experiment)]
        files += [paths.MEMBER_SCORES.format(e=name, s=seed, m=scorer) for scorer in experiment.scorers]
        files += [paths.SCORES.format(e=name, s=seed, v=variant) for variant in experiment.variants]
        files += [paths.CURATED.format(e=name, s=seed, v=variant) for variant in variants]
    return files
