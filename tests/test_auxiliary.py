"""Further trained models against trainings written out by hand: their start, their order and their examples."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from plain_training import (
    N_CLASSES,
    SETTINGS,
    SHAPE,
    SPEC,
    cosine_rates,
    difference,
    examples,
    plain_training,
    start_of,
)
from torch import Tensor

from heft.auxiliary.folds import N_FOLDS, draw_folds
from heft.auxiliary.kinds import kinds
from heft.auxiliary.training import Auxiliary, AuxiliaryContext
from heft.data.examples import Examples
from heft.models.build import ModelSpec
from heft.registry import declarations
from heft.seeds import RunSeeds, derive_seed
from heft.training.runs import TrainedRuns, train_runs
from heft.training.settings import TrainingSettings

TRAIN, VALIDATION, SEED = examples(), examples(9, seed=1, prefix="v"), 4
ALL = ("split", "noise", "init")


def kind(name: str) -> Auxiliary:
    loaded: Auxiliary = declarations("auxiliary")[name].load()()
    return loaded


def train(name: str, numbers: Sequence[int], split: Examples = TRAIN, resample: Sequence[str] = ALL) -> TrainedRuns:
    """The models of a kind with these numbers."""
    return kind(name).train(AuxiliaryContext(SPEC, split, VALIDATION, SETTINGS, SEED, resample), numbers)


def half_of(number: int, seed: int = SEED) -> Tensor:
    """What the model of that number on a subset is trained on."""
    return ~kind("subsets").held_out(TRAIN.labels, None, seed, number)


def folds_of(member: int) -> list[int]:
    """The numbers of the models of a member."""
    return list(range(N_FOLDS * member, N_FOLDS * (member + 1)))


def final(trained: TrainedRuns, run: int) -> dict[str, Tensor]:
    return trained.checkpoints.runs[run].states[SETTINGS.epochs].state


def by_hand(names: tuple[str | int, ...], weights: Tensor | None = None, seed: int = SEED) -> dict[str, Tensor]:
    """A training that draws from the streams of these names."""
    start, order = start_of(derive_seed(seed, *names, "parameters")), derive_seed(seed, *names, "order")
    return plain_training(start, TRAIN.inputs, TRAIN.labels, order, cosine_rates(SETTINGS, 3), weights=weights)


@pytest.fixture(scope="module")
def seeds() -> TrainedRuns:
    return train("seeds", [1, 2])


@pytest.mark.parametrize("member", [1, 2])
def test_a_seeds_member_has_its_own_start_and_its_own_batch_order(seeds: TrainedRuns, member: int) -> None:
    assert difference(final(seeds, member), by_hand(("init", "members", member))) < 1e-5


def test_members_differ_from_each_other_and_from_the_base_model(seeds: TrainedRuns) -> None:
    base = by_hand(("init",))
    assert difference(final(seeds, 1), final(seeds, 2)) > 1e-2
    assert difference(final(seeds, 1), base) > 1e-2


def test_a_subsets_run_is_trained_on_its_half_alone() -> None:
    trained = train("subsets", [0, 3])
    for number, names in ((0, ("init",)), (3, ("init", "members", 3))):
        half = half_of(number)
        assert difference(final(trained, number), by_hand(names, half.float())) < 1e-5
        assert difference(final(trained, number), by_hand(names)) > 1e-2


def test_a_half_holds_half_of_the_examples_and_every_number_another() -> None:
    halves = [half_of(number) for number in range(6)]
    assert {int(half.sum()) for half in halves} == {len(TRAIN) // 2}
    assert len({tuple(half.tolist()) for half in halves}) == 6
    assert not torch.equal(halves[0], half_of(0, SEED + 1))
    assert torch.equal(halves[0], half_of(0))


@pytest.mark.parametrize("member", [0, 2])
def test_a_folds_run_is_trained_on_all_but_the_fold_of_its_number(member: int) -> None:
    trained = train("folds", folds_of(member))
    fold_of = draw_folds(TRAIN.labels, None, SEED, member)
    names = ("init", "members", member) if member else ("init",)
    assert sorted(trained.checkpoints.runs) == folds_of(member)
    for fold, number in enumerate(folds_of(member)):
        assert difference(final(trained, number), by_hand(names, (fold_of != fold).float())) < 1e-5


def test_a_folds_run_does_not_see_what_it_holds_out_and_sees_all_else() -> None:
    fold_of = draw_folds(TRAIN.labels, None, SEED, 0)
    inputs = TRAIN.inputs.clone()
    inputs[fold_of == 2] += 5
    plain, changed = (train("folds", folds_of(0), split) for split in (TRAIN, replace(TRAIN, inputs=inputs)))
    for fold in range(N_FOLDS):
        moved = difference(final(plain, fold), final(changed, fold))
        assert moved == 0 if fold == 2 else moved > 1e-3


def test_a_declared_number_of_folds_is_that_of_the_file() -> None:
    assert (kinds()["folds"].models, kinds()["folds"].group_size) == (N_FOLDS, N_FOLDS)


def test_each_example_is_held_out_once_and_each_class_spread_evenly() -> None:
    labels = examples(103).labels
    for member in (0, 1):
        fold_of = draw_folds(labels, None, SEED, member)
        for label in range(N_CLASSES):
            sizes = torch.bincount(fold_of[labels == label], minlength=N_FOLDS)
            assert int(sizes.sum()) == int((labels == label).sum())
            assert len(sizes) == N_FOLDS
            assert int(sizes.max() - sizes.min()) <= 1
    assert not torch.equal(draw_folds(labels, None, SEED, 0), draw_folds(labels, None, SEED, 1))
    assert not torch.equal(draw_folds(labels, None, SEED, 0), draw_folds(labels, None, SEED + 1, 0))


def test_a_small_class_does_not_always_begin_at_the_same_fold() -> None:
    firsts = {int(draw_folds(torch.zeros(1, dtype=torch.int64), None, SEED, member)[0]) for member in range(40)}
    assert firsts == set(range(N_FOLDS))


def test_what_an_experiment_freezes_is_frozen_for_the_folds_of_the_base_model_and_for_no_other_member() -> None:
    fold_of = {member: draw_folds(TRAIN.labels, None, SEED, member) for member in (0, 1)}
    frozen = train("folds", folds_of(0), resample=["split"])
    assert difference(final(frozen, 1), by_hand(("init",), (fold_of[0] != 1).float(), seed=0)) < 1e-5
    other = train("folds", folds_of(1), resample=["split"])
    assert difference(final(other, N_FOLDS + 1), by_hand(("init", "members", 1), (fold_of[1] != 1).float())) < 1e-5


@pytest.mark.parametrize("model", ["mlp", "cnn"])
@pytest.mark.parametrize("n_runs", [1, 2])
def test_a_state_is_saved_with_its_own_epochs_mean_rate_and_the_steps_done(model: str, n_runs: int) -> None:
    """Whether the models are trained together (mlp) or in turn (cnn)."""
    spec = ModelSpec(model, SPEC.options if model == "mlp" else {}, SHAPE, N_CLASSES)
    seeds = {number: RunSeeds(number, number) for number in range(n_runs)}
    trained = train_runs(spec, TRAIN, VALIDATION, SETTINGS, seeds)
    rates = cosine_rates(SETTINGS, 3)
    expected = [rates[0], *(sum(rates[first : first + 3]) / 3 for first in (0, 3, 6))]
    for number in seeds:
        states = trained.checkpoints.runs[number].states
        assert [states[epoch].learning_rate for epoch in range(4)] == pytest.approx(expected)
        assert [states[epoch].step for epoch in range(4)] == [0, 3, 6, 9]
        history = trained.history[trained.history["run"] == number]
        assert history["learning_rate"].tolist() == pytest.approx(expected)


def test_the_rate_of_a_state_within_a_warm_up_is_that_of_the_warm_up() -> None:
    settings = TrainingSettings(epochs=2, batch_size=8, learning_rate=0.3, schedule="constant", warmup_epochs=1)
    states = train_runs(SPEC, TRAIN, VALIDATION, settings, {0: RunSeeds(0, 0)}).checkpoints.runs[0].states
    assert [states[epoch].learning_rate for epoch in range(3)] == pytest.approx([0.1, 0.2, 0.3])
