"""Folds hold out groups and near-duplicates as a whole, with classes as even as that allows; without any, as before."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch
from data_cases import balanced, examples_of
from plain_training import SPEC, examples
from torch import Tensor

import heft
from heft.auxiliary.folds import N_FOLDS, Folds, draw_folds
from heft.data.examples import Examples
from heft.data.settings import DataSettings, NoiseSettings
from heft.data.split import draw_split
from heft.errors import HeftError
from heft.kernels.out_of_fold import out_of_fold_probabilities
from heft.methods.linear_probe import folds_of
from heft.seeds import derive_seed
from heft.training.loop import state_of

SETTINGS = DataSettings(train=0.8, validation=0.1, test=0.1, noise=NoiseSettings(kind="none"), near_duplicates=True)


def labels_and_units(seed: int, n_units: int = 80, n_classes: int = 4) -> tuple[Tensor, Tensor]:
    """Half of the units are single examples; the others have up to 6, mostly of one class."""
    generator = np.random.default_rng(seed)
    sizes = np.where(np.arange(n_units) % 2, generator.integers(2, 7, n_units), 1)
    units = np.repeat(generator.permutation(n_units), sizes)
    labels = np.where(generator.random(len(units)) < 0.8, units % n_classes, generator.integers(0, n_classes))
    return torch.tensor(labels), torch.tensor(units)


def probe_folds(labels: Tensor, units: Tensor | None, seed: int) -> Tensor:
    """The fold of each example, as linear_probe draws them."""
    fold_of = torch.full((len(labels),), -1)
    for fold, rows in enumerate(folds_of(labels, units, torch.Generator().manual_seed(seed))):
        fold_of[rows] = fold
    return fold_of


@pytest.mark.parametrize("n", [1, 3, 57, 1000])
@pytest.mark.parametrize("seed", [0, 5])
def test_where_every_unit_is_one_example_folds_are_the_ones_of_plain_strata_bit_for_bit(n: int, seed: int) -> None:
    labels = torch.tensor(np.random.default_rng(n).integers(0, 7, n))
    generator, expected = np.random.default_rng(derive_seed(seed, "folds", 2)), np.empty(n, np.int64)
    for label in np.unique(labels):
        members = generator.permutation(np.flatnonzero(labels == label))
        expected[members] = (np.arange(len(members)) + generator.integers(N_FOLDS)) % N_FOLDS
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    by_class = order[labels[order].argsort(stable=True)]
    dealt = torch.empty(n, dtype=torch.int64)
    dealt[by_class] = torch.arange(n) % N_FOLDS
    for units in (None, torch.arange(n), *([torch.arange(n).flip(0) * 3] if n > 1 else [])):
        assert draw_folds(labels, units, seed, 2).tolist() == expected.tolist()
        assert probe_folds(labels, units, seed).tolist() == dealt.tolist()


@pytest.mark.parametrize("seed", range(6))
def test_units_are_whole_and_classes_are_spread_as_evenly_as_single_examples_can_level(seed: int) -> None:
    labels, units = labels_and_units(seed)
    for fold_of in (draw_folds(labels, units, seed, 0), probe_folds(labels, units, seed)):
        for unit in units.unique():
            assert len(fold_of[units == unit].unique()) == 1
        counts = torch.stack([torch.bincount(fold_of[labels == label], minlength=N_FOLDS) for label in range(4)])
        assert counts.sum() == len(labels)
        assert int((counts.amax(dim=1) - counts.amin(dim=1)).max()) <= 2
    assert not torch.equal(draw_folds(labels, units, seed, 0), draw_folds(labels, units, seed, 1))
    assert torch.equal(draw_folds(labels, units, seed, 0), draw_folds(labels, 7 * units, seed, 0))


@pytest.mark.parametrize("seed", range(20))
def test_a_class_of_few_units_is_not_all_in_one_fold(seed: int) -> None:
    generator = np.random.default_rng(seed)
    units = torch.tensor(np.repeat(np.arange(30), 4))
    labels = torch.tensor(generator.integers(0, 3, 120))
    labels[[0, 2, 4]] = 3  # of two units, which hold other classes too
    fold_of = draw_folds(labels, units, seed, 0)
    assert len(fold_of[labels == 3].unique()) == 2


def test_a_model_of_a_fold_is_not_trained_on_the_twin_of_what_it_holds_out() -> None:
    train = replace(examples(40), units=torch.arange(40) // 2)
    for number in range(N_FOLDS):
        held_out = Folds().held_out_of(train, 3, number)
        assert torch.equal(held_out[::2], held_out[1::2])
        assert held_out.any()
    assert not all(
        torch.equal(*(Folds().held_out_of(examples(40), 3, number)[half::2] for half in (0, 1))) for number in (0, 1)
    )


def test_all_examples_in_one_unit_are_a_sentence_and_a_class_in_one_unit_keeps_its_label() -> None:
    labels = torch.tensor([0, 0, 1, 1, 0, 1, 2, 2, 2, 0, 1])
    with pytest.raises(HeftError, match="all 11 training examples are one group, or near-duplicates of one another"):
        draw_folds(labels, torch.zeros(11, dtype=torch.int64), 0, 0)
    train = replace(examples(11), labels=labels, units=torch.tensor([0, 0, 1, 1, 2, 3, 9, 9, 9, 4, 5]))
    model = SPEC.build(0)
    models = [(state_of(model), Folds().held_out_of(train, 1, number)) for number in range(N_FOLDS)]
    kept = out_of_fold_probabilities(model, models, train.inputs, labels, 3, train.units)
    assert kept[labels == 2].tolist() == [[0, 0, 1]] * 3
    assert (kept[labels != 2].amax(dim=1) < 1).all()
    assert (out_of_fold_probabilities(model, models, train.inputs, labels, 3) < 1).all()


@pytest.mark.parametrize("column", ["group", "near_duplicate"])
def test_a_split_says_which_of_its_examples_belong_together_as_the_settings_tell(column: str) -> None:
    table, inputs = examples_of([row % 3 for row in range(150)])
    table = table.assign(**{column: np.arange(150) // 2})
    train = draw_split(table, inputs, SETTINGS, 0)["train"]
    number = table.set_index("id")[column].loc[train["id"]].to_numpy()
    assert (pd.factorize(train["unit"])[0] == pd.factorize(number)[0]).all()
    apart = replace(SETTINGS, near_duplicates=False, keep_groups_together=False)
    assert not any("unit" in split for split in draw_split(table, inputs, apart, 0).values())
    assert not any("unit" in split for split in draw_split(*balanced(), SETTINGS, 0).values())


def with_twins() -> tuple[Examples, Tensor]:
    """Examples of two classes whose inputs say nothing, each with a twin that has its label; and the groups."""
    generator = torch.Generator().manual_seed(0)
    inputs, labels = torch.randn(60, 80, generator=generator), torch.arange(60) % 2
    both = Examples(np.arange(120).astype(str), inputs.repeat(2, 1), labels.repeat(2))
    return both, torch.arange(60).repeat(2)


@pytest.mark.parametrize(("name", "options"), [("linear_probe", {"l2": 1e-3}), ("neighbour_vote", {"k": 2})])
def test_a_twin_is_no_witness_where_groups_are_known(name: str, options: dict[str, float]) -> None:
    twins, groups = with_twins()
    known = heft.score(name, None, (twins.inputs, twins.labels, groups), **options)
    unknown = heft.score(name, None, (twins.inputs, twins.labels), **options)
    assert float((unknown < 0).double().mean()) < 0.15
    assert float((known < 0).double().mean()) > 0.2
    found = heft.suspects(
        embeddings=twins.inputs, labels=twins.labels, groups=groups, method=name, count=120, **options
    )
    assert [suspect.score for suspect in found] == known.sort().values.tolist()
