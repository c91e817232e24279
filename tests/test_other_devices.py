"""Kernels, methods, objectives and ensembles follow the device of their inputs: `meta` refuses what a GPU refuses.

A method runs with several answers to what it asks of numbers, some of which end it in a sentence (a solver that does
not get there): it must come to scores with one of them, and never meet a tensor or a generator of the CPU.
"""

import copy
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import torch
from attribution_cases import N_CLASSES, N_TRAIN, Case, make_case
from meta_device import META, MetaDevice, on_meta
from torch import Tensor, nn

from heft import devices
from heft.ensembles.members import TrainedModels, member
from heft.errors import HeftError
from heft.kernels.batch import Batch
from heft.kernels.curvature.curvature_operator import CURVATURES, CurvatureOperator, dense_matrix, flatten
from heft.kernels.curvature.kronecker import fisher_curvature, solve_layers
from heft.kernels.curvature.products import hessian_product_by_double_backward, hessian_product_forward_over_reverse
from heft.kernels.directional import directional_derivatives
from heft.kernels.example_gradients import example_gradients
from heft.kernels.layers.norms import squared_gradient_norms
from heft.kernels.losses import cross_entropy as losses
from heft.kernels.projection.gradients import projected_gradients, projected_with_rows_held
from heft.kernels.projection.random_rows import RandomRows
from heft.kernels.ways import double_backward, one_by_one
from heft.methods.context import Context
from heft.objectives.declare import load_objective
from heft.objectives.gradient import objective_gradient, objective_value
from heft.registry import declarations, find

METHODS = sorted(declarations("methods"))
MODELS = ("mlp", "cnn", "batch_norm", "group_norm", "attention")
SMALL = {"if_exact": {"parameters": "last"}, "gex": {"models": 2}, "if_arnoldi": {"iterations": 10}}
ANSWERS = (None, *range(1, 13))  # seeds


@cache
def case_of(model: str) -> Case:
    """The case in float32; states and what was recorded stay on the CPU, as files have them."""
    made = make_case(model)
    state, *history = [{name: tensor.float() for name, tensor in s.items()} for s in (made.state, *made.history[-3:])]
    splits = [Batch(part.inputs.float(), part.labels, part.labels % 2) for part in (made.train, made.validation)]
    return Case(made.model.float(), state, *splits, made.true_labels, history)


@cache
def trained(model: str) -> TrainedModels:
    return case_of(model).trained(members=2)


def base(model: str, objective: str = "loss") -> Context:
    case = case_of(model)
    return Context(
        train=on_meta(case.train),
        n_classes=N_CLASSES,
        seed=0,
        model=network(model),
        validation=on_meta(case.validation),
        true_labels=on_meta(case.true_labels),
        objective=load_objective(objective),
    )


def network(model: str) -> nn.Module:
    return copy.deepcopy(case_of(model).model).to(META)


def scores_of(name: str, model: str = "mlp", kind: str | None = None, **mode: Any) -> Tensor:
    """By the first answers that lead to scores; raises the last sentence where none do."""
    said: HeftError | None = None
    for seed in ANSWERS:
        try:
            with MetaDevice(seed=seed, **mode):
                needs = declarations("methods")[name].fields["needs"]
                context = member(base(model), needs, trained(model), 0 if kind is None else 1, kind)
                return find("methods", name).configured(SMALL.get(name, {}))(context)
        except HeftError as error:
            said = error
    assert said
    raise said


@pytest.mark.parametrize("name", METHODS)
def test_a_method_stays_on_the_device(name: str) -> None:
    assert scores_of(name).shape == (N_TRAIN,)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_runs_on_a_device_without_float64(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "WITHOUT_FLOAT64", ("meta",))
    assert scores_of(name, "cnn", float64=False).shape == (N_TRAIN,)


@pytest.mark.parametrize("kind", sorted(declarations("ensembles")))
@pytest.mark.parametrize("name", ["ip", "aum"])
def test_members_of_an_ensemble_are_on_the_device(name: str, kind: str) -> None:
    assert scores_of(name, "cnn", kind).shape == (N_TRAIN,)


@pytest.mark.parametrize("objective", sorted(declarations("objectives")))
def test_an_objective_and_its_gradient_stay_on_the_device(objective: str) -> None:
    model, state = network("cnn"), on_meta(case_of("cnn").state)
    with MetaDevice():
        given = (load_objective(objective), model, state, on_meta(case_of("cnn").validation))
        assert objective_value(*given).device == META
        assert {tensor.device for tensor in objective_gradient(*given).values()} == {META}


Given = tuple[nn.Module, dict[str, Tensor], Tensor, Tensor, dict[str, Tensor]]


def many(given: Given, k: int = 3) -> Tensor:
    model, state, inputs, labels, v = given
    return directional_derivatives(model, state, [v] * k, inputs, labels)


def projected(given: Given, way: Callable[..., tuple[Tensor, Tensor]]) -> Tensor:
    model, state, inputs, labels, v = given
    rows = RandomRows(v, 40, lambda name: torch.Generator(device="cpu").manual_seed(0))
    return way(model, state, inputs, labels, rows, losses)[0]


def factors(given: Given) -> Tensor:
    model, state, inputs, _, v = given
    found, _ = fisher_curvature(model, state, inputs, v, torch.Generator(device="cpu"), corrected=True)
    return flatten(solve_layers(found, v, 0.1))


def products(given: Given) -> Tensor:
    """By both matrices, of all examples and of some, and the dense matrix of a vector's first entries."""
    model, state, inputs, labels, v = given
    made = [CurvatureOperator(curvature, model, state, inputs, labels, v) for curvature in CURVATURES]
    some = [operator.of_examples(torch.arange(3, device=META))(flatten(v)) for operator in made]
    ways = [hessian_product_by_double_backward, hessian_product_forward_over_reverse]
    others = [flatten(way(model, state, v, inputs, labels, 16)) for way in ways]
    dense_matrix(lambda row: 2 * row, flatten(v)[:5])
    return torch.stack([*some, *others, *(operator.leading_eigenpair(flatten(v)).vector for operator in made)])


def single(given: Given) -> Tensor:
    model, state, inputs, labels, v = given
    stacked = {name: tensor[None] for name, tensor in v.items()}
    each = next(example_gradients(model, state, inputs, labels, losses, list(v)))
    _, tangent = double_backward(model, state, v, inputs)
    return torch.cat([one_by_one(model, state, stacked, inputs[:2], labels[:2], losses)[0], flatten(each), tangent[0]])


KERNELS: dict[str, Callable[[Given], Tensor]] = {
    "one direction": lambda given: many(given, 1),
    "many directions": many,
    "lengths": lambda given: squared_gradient_norms(*given[:4]),
    "projections, rows held": lambda given: projected(given, projected_with_rows_held),
    "projections": lambda given: projected(given, projected_gradients),
    "Kronecker factors": factors,
    "curvature": products,
    "single gradients": single,
}


CASES = [(kernel, model) for kernel in KERNELS for model in MODELS]
CASES.remove(("Kronecker factors", "attention"))  # which has none


@pytest.mark.parametrize(("kernel", "model"), CASES)
def test_a_kernel_stays_on_the_device(kernel: str, model: str) -> None:
    on_device, state = network(model), on_meta(case_of(model).state)
    v = {name: torch.ones_like(tensor) for name, tensor in on_device.named_parameters()}
    with MetaDevice():
        given = (on_device, state, *on_meta(case_of(model).train)[:2], v)
        assert KERNELS[kernel](given).device == META
