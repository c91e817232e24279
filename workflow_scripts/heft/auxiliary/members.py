"""The further trained models that ensembles and methods ask for, by the same code as the base model.

`seeds`: independently initialised and ordered runs; a run's number is its member. `subsets`: the same, each on a random
half of the training split. `folds`: runs 0..N_FOLDS-1 of one
member, each without the fold of its number. `fine_tunes`: one member's final state, trained further on validation.
"""

from torch import Tensor

from heft.auxiliary.folds import N_FOLDS, draw_folds, half_of
from heft.data.examples import Examples
from heft.models.build import ModelSpec
from heft.seeds import RunSeeds, run_seeds
from heft.training.fine_tuning import fine_tune
from heft.training.runs import TrainedRuns, train_runs
from heft.training.settings import FineTuningSettings, TrainingSettings

# Members differ in initial weights and batch order, whatever the experiment freezes over its seeds.
VARIES = ("init",)


def member_seeds(seed: int, member: int, resample: list[str]) -> RunSeeds:
    """What a member draws; member 0 draws as the base model does."""
    return run_seeds(seed, member, resample if member == 0 else VARIES)


def train_seeds(
    spec: ModelSpec, train: Examples, validation: Examples, settings: TrainingSettings, seed: int, members: list[int]
) -> TrainedRuns:
    """Members 1 and up, which share neither initial weights nor batch order."""
    return train_runs(
        spec,
        train,
        validation,
        settings,
        {member: run_seeds(seed, member, VARIES) for member in members},
        called="member",
    )


def train_subsets(
    spec: ModelSpec, train: Examples, validation: Examples, settings: TrainingSettings, seed: int, numbers: list[int]
) -> TrainedRuns:
    """Runs with these numbers, each on its own half; the examples that it leaves out keep their slots with weight 0."""
    seeds = {number: run_seeds(seed, number, VARIES) for number in numbers}
    weights = {number: half_of(train.labels, seed, number).to(train.inputs.dtype) for number in numbers}
    return train_runs(spec, train, validation, settings, seeds, weights=weights, called="subset")


def train_folds(
    spec: ModelSpec,
    train: Examples,
    validation: Examples,
    settings: TrainingSettings,
    seed: int,
    member: int,
    resample: list[str],
) -> TrainedRuns:
    """One run a fold; the examples that it holds out keep their slots with weight 0."""
    fold_of = draw_folds(train.labels, seed, member)
    weights = {fold: (fold_of != fold).to(train.inputs.dtype) for fold in range(N_FOLDS)}
    seeds = member_seeds(seed, member, resample)
    called = f"member {member}, fold"
    return train_runs(spec, train, validation, settings, dict.fromkeys(weights, seeds), weights=weights, called=called)


def train_fine_tune(
    spec: ModelSpec,
    state: dict[str, Tensor],
    validation: Examples,
    training: TrainingSettings,
    settings: FineTuningSettings,
    seed: int,
    member: int,
    resample: list[str],
) -> TrainedRuns:
    """The member's final state, fine-tuned."""
    return fine_tune(spec, state, validation, training, settings, member_seeds(seed, member, resample), member)
