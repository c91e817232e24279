"""Counts what a run of a plan will do: jobs, and trainings by how many models go through one together."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from heft.auxiliary.kinds import kind_named
from heft.workflow.planning.auxiliary import all_groups
from heft.workflow.planning.held_out import asked_by_all
from heft.workflow.planning.plan import Plan

ONCE = ("prepare", "check_model", "report", "index")
EACH_SEED = ("split", "train", "checkpoint")


@dataclass(frozen=True)
class Work:
    """Of all `seeds` of them. jobs: how many. trainings: {models trained together: how many such trainings}.
    scorings: how many times a method scores all training examples with a model."""

    seeds: int
    jobs: int
    trainings: Mapping[int, int]
    scorings: int


def work_of(plan: Plan, name: str) -> Work:
    """What an experiment does from nothing."""
    experiment = plan.experiments[name]
    n_seeds, n_scored, n_unscored = len(experiment.settings.seeds), len(experiment.variants), len(plan.unscored(name))
    groups = [len(kind_named(kind).numbers(g)) for kind, numbers in all_groups(experiment).items() for g in numbers]
    members = sum(size for _, size in experiment.scorers.values())
    # Each variant is curated, retrained or fine-tuned, and evaluated; a scored one has its scores put together.
    jobs = len(EACH_SEED) + len(groups) + len(asked_by_all(experiment)) + len(experiment.scorers)
    jobs += 3 * n_unscored + 4 * n_scored
    trainings = Counter({1: 1 + n_unscored}) + Counter(groups) + Counter({experiment.n_plans: n_scored})
    return Work(
        n_seeds,
        len(ONCE) + (experiment.encoder is not None) + n_seeds * jobs,
        {together: n_seeds * count for together, count in trainings.items()},
        n_seeds * members,
    )
