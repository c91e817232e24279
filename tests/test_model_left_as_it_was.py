"""heft.score leaves the caller's model, data and random generators exactly as they were."""

import random
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import heft


class Odd(nn.Module):
    """Parts in other modes, a frozen parameter, a gradient, a buffer that no state has."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(6)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(6, 3)
        self.register_buffer("scale", torch.ones(6), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.drop(self.norm(x * self.scale)))


@pytest.mark.parametrize("name", ["loss", "ip", "if_cg", "if_ekfac", "self_if", "outlier_gradient", "gex"])
def test_the_model_its_gradients_and_all_generators_are_left_as_they_were(name: str) -> None:
    torch.manual_seed(1)
    model = Odd().train()
    model.norm.eval()
    model.head.bias.requires_grad_(False)
    x, y = torch.randn(40, 6), torch.arange(40) % 3
    functional.cross_entropy(model(x), y).backward()
    model.head.weight.register_hook(lambda gradient: pytest.fail("a hook of the caller ran"))
    before, states = _everything_of(model), (torch.get_rng_state(), np.random.get_state()[1], random.getstate())
    inputs = x.clone()
    with warnings.catch_warnings(action="ignore"):
        heft.score(name, model, (x, y), (x[:9], y[:9]), ensemble="parameter_dropout", members=2)
    after = _everything_of(model)
    assert before.keys() == after.keys()
    assert [key for key in before if not _same(before[key], after[key])] == []
    assert torch.equal(inputs, x)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.array_equal(np.random.get_state()[1], states[1])
    assert random.getstate() == states[2]


def _everything_of(model: nn.Module) -> dict[str, Any]:
    parameters = {name: tensor.detach().clone() for name, tensor in model.named_parameters()}
    gradients = {f"{name}.grad": None if t.grad is None else t.grad.clone() for name, t in model.named_parameters()}
    asked = {f"{name}.requires_grad": t.requires_grad for name, t in model.named_parameters()}
    buffers = {name: tensor.clone() for name, tensor in model.named_buffers()}
    modes = {f"{name}.training": module.training for name, module in model.named_modules()}
    tensors = [*model.named_parameters(), *model.named_buffers()]
    places = {f"{name}.place": tensor.data_ptr() for name, tensor in tensors}
    return parameters | gradients | asked | buffers | modes | places


def _same(left: Any, right: Any) -> bool:
    return torch.equal(left, right) if isinstance(left, Tensor) else left == right
