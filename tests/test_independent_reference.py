"""The curvature kernels agree with curvlinops, which is written by others and on other principles, in float64."""

import copy
import warnings
from functools import cache

import curvlinops
import pytest
import torch
from attribution_cases import MODELS, Case, make_case
from torch import Tensor, nn

from heft.kernels.curvature.curvature_operator import CurvatureOperator
from heft.kernels.curvature.kronecker import eigenvalue_corrected, kronecker_curvature
from heft.kernels.layers.rows import layer_matrix

OPERATORS = {"hessian": curvlinops.HessianLinearOperator, "gauss_newton": curvlinops.GGNLinearOperator}


@cache
def case_of(name: str) -> Case:
    return make_case(name)


def loaded(case: Case) -> nn.Module:
    model = copy.deepcopy(case.model).double().eval()
    model.load_state_dict(case.state)
    return model


def operator(kind: type, model: nn.Module, case: Case, **options: object) -> object:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch, about how curvlinops calls it
        return kind(
            model, nn.CrossEntropyLoss(), list(model.parameters()), [(case.train.inputs, case.train.labels)], **options
        )


# curvlinops has no Hessian of normalisation layers, and neither product of attention; test_kernels has both.
@pytest.mark.parametrize(
    ("name", "curvature"),
    [(name, "gauss_newton") for name in sorted(MODELS) if name != "attention"]
    + [(name, "hessian") for name in ("logistic", "no_bias", "mlp", "cnn")],
)
def test_products_are_those_of_curvlinops(name: str, curvature: str) -> None:
    case = case_of(name)
    model = loaded(case)
    like = {key: tensor.detach() for key, tensor in model.named_parameters()}
    size = sum(tensor.numel() for tensor in like.values())
    vector = torch.randn(size, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    product = CurvatureOperator(curvature, case.model, case.state, *case.train, like=like)(vector)
    expected = operator(OPERATORS[curvature], model, case) @ vector
    torch.testing.assert_close(product, expected, rtol=0, atol=1e-10 * float(expected.abs().max()))


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("name", ["logistic", "no_bias", "mlp", "cnn"])
def test_kronecker_factors_are_those_of_curvlinops(name: str, corrected: bool) -> None:
    """With the labels of the data, since each library draws its own."""
    case = case_of(name)
    model = loaded(case)
    layers = {key: layer for key, layer in case.model.named_modules() if isinstance(layer, nn.Linear | nn.Conv2d)}
    kronecker = kronecker_curvature(case.model, case.state, layers, *case.train)
    if corrected:
        kronecker = eigenvalue_corrected(case.model, case.state, kronecker, *case.train)
    kind = curvlinops.EKFACLinearOperator if corrected else curvlinops.KFACLinearOperator
    empirical = curvlinops.FisherType.EMPIRICAL
    reference = operator(kind, model, case, fisher_type=empirical, separate_weight_and_bias=False)
    vector = [
        torch.randn(tensor.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
        for tensor in model.parameters()
    ]
    expected = dict(zip(dict(model.named_parameters()), reference @ vector, strict=True))
    given = dict(zip(dict(model.named_parameters()), vector, strict=True))
    assert kronecker.keys() == layers.keys()
    for key, factors in kronecker.items():
        names = [part for part, _ in layers[key].named_parameters()]
        matrix = layer_matrix(layers[key], {part: given[f"{key}.{part}"] for part in names})
        product = pushed(factors, matrix)
        wanted = layer_matrix(layers[key], {part: expected[f"{key}.{part}"] for part in names})
        torch.testing.assert_close(product, wanted, rtol=0, atol=1e-9 * float(wanted.abs().max()))


def pushed(factors: object, matrix: Tensor) -> Tensor:
    """Q_S [Lambda * (Q_S^T V Q_A)] Q_A^T: [groups, out, in (+ 1)]."""
    left, right, values = factors.left, factors.right, factors.eigenvalues  # type: ignore[attr-defined]
    return left @ (values * (left.mT @ matrix @ right)) @ right.mT
