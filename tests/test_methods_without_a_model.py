"""neighbour_vote and linear_probe need inputs and labels alone; against scikit-learn and cleanlab."""

import numpy as np
import pytest
import torch
from cleanlab.rank import get_normalized_margin_for_each_label, get_self_confidence_for_each_label
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

import heft
from heft.kernels.batch import Batch
from heft.kernels.neighbours import neighbour_shares
from heft.methods.context import Context
from heft.methods.linear_probe import folds_of, linear_probe
from heft.methods.neighbour_vote import neighbour_vote

N, N_CLASSES, N_WRONG = 200, 4, 30


def planted() -> tuple[Tensor, Tensor, Tensor]:
    """Inputs in clouds, given labels, and true ones, of which the first 30 are wrong; one column is constant."""
    generator = torch.Generator().manual_seed(0)
    true = torch.arange(N) % N_CLASSES
    centres = 2 * torch.randn(N_CLASSES, 8, generator=generator)
    inputs = centres[true] + torch.randn(N, 8, generator=generator)
    inputs[:, 3] = 0.1
    given = true.clone()
    given[:N_WRONG] = (given[:N_WRONG] + 1) % N_CLASSES
    return inputs, given, true


def context_of(inputs: Tensor, labels: Tensor, seed: int = 0) -> Context:
    return Context(train=Batch(inputs, labels), n_classes=N_CLASSES, seed=seed)


QUALITIES = {
    "self_confidence": get_self_confidence_for_each_label,
    "normalized_margin": lambda labels, shares: 2 * get_normalized_margin_for_each_label(labels, shares) - 1,
}


@pytest.mark.parametrize("quality", QUALITIES)
def test_the_vote_is_cleanlabs_quality_of_the_neighbours_shares(quality: str) -> None:
    inputs, labels, _ = planted()
    expected = QUALITIES[quality](labels.numpy(), neighbour_shares(inputs, labels, N_CLASSES, 7, "euclidean").numpy())
    scores = neighbour_vote(context_of(inputs, labels), k=7, metric="euclidean", quality=quality)  # type: ignore[arg-type]
    np.testing.assert_allclose(scores.numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("quality", QUALITIES)
def test_the_probe_is_cleanlabs_quality_of_scikit_learns_out_of_fold_probabilities(quality: str) -> None:
    inputs, labels, _ = planted()
    fold_of = np.empty(N, dtype=int)
    context = context_of(inputs.double(), labels)
    for fold, rows in enumerate(folds_of(labels, None, context.generator("linear_probe"))):
        fold_of[rows] = fold
    # The mean loss of 160 examples, and scikit-learn's C that multiplies their sum.
    model = make_pipeline(StandardScaler(), LogisticRegression(C=1 / (0.3 * 160), max_iter=300))
    data = inputs.double().numpy(), labels.numpy()
    probabilities = cross_val_predict(model, *data, cv=PredefinedSplit(fold_of), method="predict_proba")
    scores = linear_probe(context, l2=0.3, quality=quality)  # type: ignore[arg-type]
    np.testing.assert_allclose(scores.numpy(), QUALITIES[quality](data[1], probabilities), atol=1e-6)


def test_the_folds_spread_every_class_and_hold_each_example_once() -> None:
    labels = torch.tensor([0] * 11 + [1] * 6 + [2] * 2)
    folds = list(folds_of(labels, None, torch.Generator().manual_seed(3)))
    assert sorted(torch.cat(folds).tolist()) == list(range(19))
    counts = torch.stack([torch.bincount(labels[rows], minlength=3) for rows in folds])
    assert (counts.amax(dim=0) - counts.amin(dim=0)).tolist() == [1, 1, 1]


@pytest.mark.parametrize("name", ["neighbour_vote", "linear_probe"])
def test_without_a_model_wrong_labels_are_lowest_and_the_right_one_is_suggested(name: str) -> None:
    inputs, labels, true = planted()
    scores = heft.score(name, None, (inputs, labels))
    assert float((scores.argsort()[:N_WRONG] < N_WRONG).double().mean()) > 0.85
    found = heft.suspects(embeddings=inputs, labels=labels, method=name, count=N)
    assert [suspect.score for suspect in found] == scores.sort().values.tolist()
    suggested = {suspect.row: suspect.suggested for suspect in found}
    assert sum(suggested[row] == true[row] for row in range(N)) > 0.9 * N


def test_the_probe_draws_its_folds_from_the_seed() -> None:
    inputs, labels, _ = planted()
    first, again, other = (linear_probe(context_of(inputs, labels, seed)) for seed in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    lowest = heft.suspects(embeddings=inputs, labels=labels, method="linear_probe", seed=1, count=1)
    assert lowest[0].score == other.min()


def test_the_probe_says_where_it_has_not_converged() -> None:
    inputs, labels, _ = planted()
    with pytest.warns(heft.HeftWarning, match="linear_probe: a logistic regression has not converged in 300 iter"):
        heft.score("linear_probe", None, (torch.cat([inputs, 1e-4 * inputs.exp()], dim=1), labels), l2=1e-12)


@pytest.mark.parametrize("name", ["neighbour_vote", "linear_probe"])
@pytest.mark.parametrize("labels", [[0, 0, 0, 1, 1, 1, 2], [0, 0, 0, 0, 0, 0, 1]])
def test_the_only_example_of_a_class_keeps_its_label(name: str, labels: list[int]) -> None:
    inputs = torch.randn(7, 4, generator=torch.Generator().manual_seed(0))
    found = heft.suspects(embeddings=inputs, labels=labels, method=name)
    assert found[-1] == (6, 1.0, labels[6], labels[6])


REFUSED = [
    ("linear_probe", [1, 1, 1], "all training examples have the label 1; expected at least two classes."),
    ("neighbour_vote", [0], "one training example has no neighbour; expected at least two."),
    ("neighbour_vote", [0, -1], "train: row 1 has the label -1; labels are whole numbers from 0 on."),
    ("ip", [0, 1], "model is a NoneType; expected the trained torch.nn.Module."),
]


@pytest.mark.parametrize(("name", "labels", "sentence"), REFUSED)
def test_labels_that_cannot_be_judged_are_one_sentence(name: str, labels: list[int], sentence: str) -> None:
    data = torch.randn(len(labels), 2), torch.tensor(labels)
    with pytest.raises(heft.HeftError) as error:
        heft.score(name, None, data, data)
    assert str(error.value).removeprefix(f"Method {name}: ") == sentence


def test_without_a_model_there_is_no_ensemble() -> None:
    inputs, labels, _ = planted()
    with pytest.raises(heft.HeftError, match="Method linear_probe takes no ensemble"):
        heft.score("linear_probe", None, (inputs, labels), ensemble="gaussian")
    with pytest.raises(heft.HeftError, match="ensemble is gaussian, whose members are changes of a model; pass the"):
        heft.score(of_inputs, None, (inputs, labels), ensemble="gaussian")


def of_inputs(context: Context) -> Tensor:
    """The first number of each input [n_train]."""
    return context.train.inputs[:, 0]


of_inputs.needs, of_inputs.ensemble = (), True  # type: ignore[attr-defined]
