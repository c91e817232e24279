"""Scores that draw numbers, on every module of the battery: the dense form with the same draws."""

from functools import partial

import battery
import numpy as np
import pytest
import sklearn.ensemble
import torch
from dense_reference import close, reference, scores
from test_battery_layers import groups, layer_gradients
from torch.nn.functional import cross_entropy

from heft.errors import HeftError
from heft.kernels.curvature.curvature_operator import CurvatureOperator, flatten


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in battery.WORKING if name not in ("bfloat16", "raw_parameters")])
def test_outlier_scores_are_those_of_a_forest_on_the_gradients(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if name not in battery.QUICK:  # ten trees tell as well as a hundred whether it is the same forest
        monkeypatch.setattr(
            "sklearn.ensemble.IsolationForest", partial(sklearn.ensemble.IsolationForest, n_estimators=10)
        )
    it = reference(name)
    last = list(groups(it))[-1]
    generator = it.context(name).generator("outlier_gradient")
    torch.randperm(len(it.gradients), generator=generator)
    forest = sklearn.ensemble.IsolationForest(random_state=int(torch.randint(2**31, (), generator=generator)))
    gradients = layer_gradients(it, last).flatten(1).numpy().astype(np.float64)
    expected = forest.fit(gradients).score_samples(gradients)
    assert np.abs(scores("outlier_gradient", name).numpy() - expected).max() < 1e-3


@pytest.mark.parametrize("method", ["outlier_gradient", "gex"])
def test_scores_in_bfloat16_are_finite(method: str) -> None:
    assert scores(method, "bfloat16").isfinite().all()


def test_gex_says_that_torch_has_no_gauss_newton_matrix_of_the_largest_embedding() -> None:
    with pytest.raises(HeftError, match="embedding_bag"):
        scores("gex", "embedding_bag_max", {"models": 3})


@pytest.mark.parametrize("name", [name for name in battery.WORKING if name not in ("bfloat16", "embedding_bag_max")])
def test_gex_is_the_covariance_of_losses_over_the_walks_that_are_drawn(name: str) -> None:
    it = reference(name)
    context = it.context(name)
    v = context.objective_gradient(context.final)
    operator = CurvatureOperator("gauss_newton", context.network, context.final, *context.train, like=v)
    rate = 0.5 / operator.leading_eigenpair(flatten(v)).value
    moves, f_moves = [], []
    for number in range(3):
        for batch in torch.randint(10, (2, 5), generator=context.generator(f"gex/{number}")):
            slope = it.rows(cross_entropy(it.module(it.train.inputs[batch]), it.train.labels[batch])[None])[0]
            parts = slope.split([tensor.numel() for tensor in it.parameters])
            with torch.no_grad():
                for tensor, part in zip(it.parameters, parts, strict=True):
                    tensor -= rate * part.view_as(tensor)
        moves.append(torch.stack(it.losses()).detach().double())
        f_moves.append(cross_entropy(it.module(it.validation.inputs), it.validation.labels).detach().double())
        it.module.load_state_dict(it.state)
    moved, centred = torch.stack(moves), torch.stack(f_moves) - torch.stack(f_moves).mean()
    expected = (centred[:, None] * (moved - moved.mean(0))).mean(0) / centred.square().mean().sqrt()
    actual = scores("gex", name, {"models": 3, "epochs": 1.0, "batch_size": 5})
    close(actual, expected, 1e-5 if "double" in name else 1e-7)
