"""Cases and dense references for the tests of methods that estimate influence."""

from functools import cache

import torch
from attribution_cases import Case, make_case
from torch.func import functional_call, hessian
from torch.nn.functional import cross_entropy

from heft.kernels.curvature.curvature_operator import flatten, unflatten
from heft.methods.context import Context
from heft.registry import declarations


def scores(name: str, context: Context, **options: object) -> torch.Tensor:
    return declarations("methods")[name].load()(context, **options)


@cache
def case_of(name: str) -> Case:
    return make_case(name)


def gradient_rows(case: Case) -> torch.Tensor:
    """[n, n_parameters] in the model's order."""
    gradients = case.gradients()
    return torch.cat([gradients[name].flatten(1) for name, _ in case.model.named_parameters()], dim=1)


def validation_vector(case: Case) -> torch.Tensor:
    v = case.objective_gradient()
    return flatten({name: v[name] for name, _ in case.model.named_parameters()})


def dense_hessian(case: Case) -> torch.Tensor:
    parameters, buffers = case.split(case.state)

    def mean(vector: torch.Tensor) -> torch.Tensor:
        logits = functional_call(case.model, {**unflatten(vector, parameters), **buffers}, (case.train.inputs,))
        return cross_entropy(logits, case.train.labels)

    return hessian(mean)(flatten(parameters))


def close(actual: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-9) -> None:
    torch.testing.assert_close(actual, expected, rtol=0, atol=tolerance * float(expected.abs().max()))
