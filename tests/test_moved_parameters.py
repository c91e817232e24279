"""What training cannot move does not exist: scores, selections and ensembles of models that are frozen in part."""

import copy
from functools import cache

import battery
import pytest
import torch
from dense_reference import N_TRAIN, built, close, reference, scores
from perturbed import perturbation
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from heft.errors import HeftError
from heft.kernels.selection import selected_parameters

DECAY = 0.05
FROZEN = ("frozen_layer", "frozen_bias", "frozen_norm", "low_rank", "no_grad", "detached", "auxiliary_head", "unused")


@pytest.mark.parametrize("name", FROZEN)
def test_a_model_without_what_does_not_move_has_the_same_names(name: str) -> None:
    it = reference(name)
    assert list(it.context(name).parameter_names()) == it.names
    assert len(it.names) < len(dict(it.module.named_parameters()))


def refitted(weights: Tensor) -> nn.Module:
    """A network with a frozen first layer at the optimum of sum(w l)/n + decay/2 |theta|^2 over what moves."""
    it, model = reference("frozen_layer"), copy.deepcopy(reference("frozen_layer").module)
    moving = [tensor for tensor in model.parameters() if tensor.requires_grad]
    optimizer = torch.optim.LBFGS(
        moving, max_iter=500, tolerance_grad=1e-12, tolerance_change=1e-15, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        losses = cross_entropy(model(it.train.inputs), it.train.labels, reduction="none")
        penalty = torch.stack([tensor.square().sum() for tensor in moving]).sum()
        value = (weights * losses).sum() / N_TRAIN + DECAY / 2 * penalty
        value.backward()
        return value

    optimizer.step(closure)
    return model


@cache
def left_out() -> tuple[dict[str, Tensor], Tensor]:
    """The state at the optimum, and n times the change of f without a tenth of each example's weight."""
    valid, ones = reference("frozen_layer").validation, torch.ones(N_TRAIN, dtype=torch.float64)

    def f(model: nn.Module) -> Tensor:
        return cross_entropy(model(valid.inputs), valid.labels).detach()

    full = refitted(ones)
    changes = [f(refitted(ones.index_fill(0, torch.tensor([i]), 0.99))) - f(full) for i in range(N_TRAIN)]
    return {name: t.detach() for name, t in full.state_dict().items()}, 100 * N_TRAIN * torch.stack(changes)


@pytest.mark.parametrize("options", [{}, {"parameters": "last"}])
def test_exact_influence_is_leaving_out_where_the_first_layer_is_frozen(options: dict[str, object]) -> None:
    state, change = left_out()
    influences = scores("if_exact", "frozen_layer", {"damping": 0.0, **options}, final=state, weight_decay=DECAY)
    close(influences, change, 0.02)


def test_the_last_layer_is_the_last_that_training_moves() -> None:
    assert reference("unused").context("unused").parameter_names("last") == ("out.weight", "out.bias")
    model = battery.build("frozen_layer")
    assert selected_parameters(model, "last") == ("3.weight", "3.bias")
    model[3].requires_grad_(False)
    model[1].requires_grad_(True)
    assert selected_parameters(model, "last") == ("1.weight", "1.bias")


def test_a_pattern_of_frozen_layers_alone_is_one_sentence() -> None:
    with pytest.raises(HeftError, match=r'parameters is "1", which fits only layers that training does not move \(1\)'):
        reference("frozen_layer").context("frozen_layer").parameter_names("1")
    with pytest.raises(HeftError, match="Training moves no parameter of Sequential"):
        selected_parameters(battery.build("all_frozen"), "all")


@pytest.mark.parametrize(("kind", "values"), [("parameter_dropout", {"p_max": 1.0}), ("gaussian", {"sigma": 1.0})])
@pytest.mark.parametrize("name", ["frozen_layer", "frozen_bias", "low_rank", "tied", "registered_twice"])
def test_members_change_what_moves_alone_and_tied_weights_alike(kind: str, values: dict[str, float], name: str) -> None:
    model, state = built(name, 0), reference(name).state
    _, change = perturbation(kind, model, 0, 1, values)
    changed = change(state)
    every = dict(model.named_parameters(remove_duplicate=False))
    for key, tensor in state.items():
        assert torch.equal(changed[key], tensor) is not every[key].requires_grad
        same = [other for other in state if every[other] is every[key]]
        assert all(torch.equal(changed[other], changed[key]) for other in same)
