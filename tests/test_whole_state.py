"""A model that a seed or training changes outside its state dictionary is found, since a checkpoint would lose that."""

import sys
from collections.abc import Callable
from types import ModuleType

import battery
import pytest
import torch
from torch import Tensor, nn

from heft.checking.model_check import check_model
from heft.checking.subject import subject_of
from heft.checking.whole_state import state_is_whole
from heft.models.build import ModelSpec


class Shifted(nn.Module):
    """A linear layer of what remains when a shift is taken off."""

    def __init__(self, shift: Tensor, *, buffer: bool, moving: bool = False) -> None:
        super().__init__()
        self.out = nn.Linear(16, 4)
        if buffer:
            self.register_buffer("shift", shift, persistent=False)
        else:
            self.shift = shift
        self.moving = moving

    def forward(self, x: Tensor) -> Tensor:
        x = x.flatten(1)
        if self.training and self.moving:
            self.shift = 0.9 * self.shift + 0.1 * x.detach().mean(0).to(self.shift.dtype)
        return self.out(x - self.shift)


BUILT: dict[str, Callable[[], nn.Module]] = {
    "of_seed": lambda: Shifted(torch.randn(16), buffer=True),
    "of_seed_no_buffer": lambda: Shifted(torch.randn(16), buffer=False),
    "of_training": lambda: Shifted(torch.zeros(16), buffer=True, moving=True),
    "constant": lambda: Shifted(torch.ones(16), buffer=True),
}


@pytest.fixture(autouse=True)
def own_models(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("shifted_models")
    for name, build in BUILT.items():
        setattr(module, name, lambda *_, build=build: build())
    for name, entry in battery.MODELS.items():
        setattr(module, name, entry.build)
    monkeypatch.setitem(sys.modules, "shifted_models", module)


def spec_of(name: str) -> ModelSpec:
    return ModelSpec(f"shifted_models:{name}", {}, battery.INPUT_SHAPE, battery.N_CLASSES)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("of_seed", "buffer shift depends on the seed, but is not in it"),
        ("of_seed_no_buffer", "something that is neither a parameter nor a buffer depends on the seed"),
        ("of_training", "buffer shift changes in training, but is not in it"),
    ],
)
def test_what_a_checkpoint_would_lose_is_named(name: str, reason: str) -> None:
    assert reason in state_is_whole(subject_of(spec_of(name))).reason
    mistake = check_model(spec_of(name), [("loss", {})], []).mistake
    assert mistake.startswith(f'model shifted_models:{name}: "its state dictionary holds all')
    assert reason in mistake


@pytest.mark.parametrize("name", ["constant", *battery.WORKING])
def test_a_state_that_is_whole_is_taken_over_by_a_fresh_model(name: str) -> None:
    assert state_is_whole(subject_of(spec_of(name))).reason == ""
