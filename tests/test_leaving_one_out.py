"""All estimates of influence against leaving one out, and methods that look at some parameters alone."""

from functools import cache

import pytest
import torch
from attribution_cases import N_TRAIN, Case, further_models, inner, make_case
from influence_cases import case_of, close, scores
from test_methods import refitted, validation_loss

from heft.errors import HeftError
from heft.evaluation.statistics import rank_agreement
from heft.methods.context import Context
from heft.registry import declarations

GRADIENT_METHODS = sorted(
    name for name, declared in declarations("methods").items() if "parameters" in declared.options
)


@pytest.mark.parametrize("name", GRADIENT_METHODS)
def test_a_method_can_look_at_some_parameters_alone(name: str) -> None:
    context = case_of("cnn").context()
    options = {"rank": 3} if name == "if_arnoldi" else {}
    last, named = (scores(name, context, parameters=which, **options) for which in ("last", "4"))
    assert torch.equal(last, named)
    assert not torch.equal(last, scores(name, context, parameters="all", **options))
    with pytest.raises(HeftError, match=r'parameters is "conv\*"; it must be all, last, or fit a layer: 0, 4'):
        scores(name, context, parameters="conv*")


def test_ip_of_the_last_layer_is_the_inner_product_of_its_gradients() -> None:
    case = case_of("cnn")
    v = {name: tensor for name, tensor in case.objective_gradient().items() if name.startswith("4.")}
    close(scores("ip", case.context(), parameters="last"), inner(case.gradients(), v))
    squares = sum(case.gradients()[name].flatten(1).square().sum(1) for name in v)
    close(-scores("self_ip", case.context(), parameters="last"), squares)


# Methods that estimate influence, with the options that suit a model at its optimum with weight decay.
ESTIMATES: dict[str, dict[str, object]] = {
    "ip": {}, "tracin": {}, "grad_cos": {}, "random_projection": {}, "datainf": {}, "if_kfac": {}, "if_ekfac": {},
    "if_exact": {"damping": 0.0}, "if_cg": {"damping": 1e-6, "tolerance": 1e-8},
    "if_lissa": {"damping": 1e-6, "tolerance": 1e-4, "batch_size": N_TRAIN}, "if_arnoldi": {"rank": 30},
    "gex": {"models": 64}, "trak": {"damping": 0.1},
}  # fmt: skip


@cache
def left_out() -> tuple[Case, Context, torch.Tensor]:
    """A convex case refitted without each example: the context at the optimum, and n times the change of f [n]."""
    case, decay = make_case("logistic"), 0.5
    base = refitted(case, torch.ones(N_TRAIN, dtype=torch.float64), decay)
    changes = []
    for index in range(N_TRAIN):
        weights = torch.ones(N_TRAIN, dtype=torch.float64)
        weights[index] = 0
        changes.append(validation_loss(case, refitted(case, weights, decay)) - validation_loss(case, base))
    halves = [
        torch.randperm(N_TRAIN, generator=torch.Generator().manual_seed(seed)) < N_TRAIN // 2 for seed in range(10)
    ]
    context = case.context(
        final=base,
        weight_decay=decay,
        spaced=[checkpoint.__class__(base, 10, 0.1) for checkpoint in case.context().spaced],
        auxiliary={"subsets": further_models(refitted(case, 2.0 * half, decay) for half in halves)},
    )
    return case, context, N_TRAIN * torch.stack(changes)


@pytest.mark.parametrize("name", ESTIMATES)
def test_an_estimate_follows_leaving_one_out_on_a_convex_model(name: str) -> None:
    import pandas as pd

    _, context, change = left_out()
    estimates = scores(name, context, **ESTIMATES[name])
    ranks = rank_agreement(pd.DataFrame({"estimate": estimates.numpy(), "change": change.numpy()}))["spearman"]
    assert float(ranks.iloc[0]) > 0.3
    if declarations("methods")[name].fields.get("counterfactual"):
        slope = float((estimates @ change) / (estimates @ estimates))
        assert slope == pytest.approx(1.2, abs=0.1)  # a whole example among 40 moves the curvature: see test_methods


def test_every_method_that_estimates_influence_is_compared_with_leaving_one_out() -> None:
    declared = declarations("methods")
    detectors = {"trusted_loss", "oracle", "random"}
    assert {n for n, d in declared.items() if "validation" in d.fields["needs"]} - detectors == set(ESTIMATES)
