"""A model is sound, or refused in one sentence when it is built: every module of the battery."""

import sys
from types import ModuleType

import battery
import pytest
import torch

from heft.errors import HeftError
from heft.models.build import build_model
from heft.models.soundness.example_inputs import random_inputs


@pytest.fixture(autouse=True)
def battery_as_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """`battery_models:NAME` is a person's own model."""
    module = ModuleType("battery_models")
    for name, entry in battery.MODELS.items():
        setattr(module, name, entry.build)
    monkeypatch.setitem(sys.modules, "battery_models", module)


def built(name: str, seed: int = 0) -> torch.nn.Module:
    return build_model(name, {}, battery.INPUT_SHAPE, battery.N_CLASSES, seed)


@pytest.mark.parametrize("name", battery.WORKING)
def test_a_sound_module_is_accepted_with_the_parameters_that_its_seed_draws(name: str) -> None:
    model = built(f"battery_models:{name}", 3)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        plain = battery.MODELS[name].build(battery.INPUT_SHAPE, battery.N_CLASSES).eval()
        plain(torch.zeros(2, *battery.INPUT_SHAPE))  # lazy layers draw at their first call
    for left, right in zip(model.state_dict().values(), plain.state_dict().values(), strict=True):
        assert torch.equal(left, right)
    for left, right in zip(model.parameters(), plain.parameters(), strict=True):
        assert (type(left), left.requires_grad, left.dtype) == (type(right), right.requires_grad, right.dtype)
    assert not any(module.training for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.parametrize("name", battery.REFUSED)
def test_a_module_that_gives_no_sound_score_is_refused_with_its_reason(name: str) -> None:
    with pytest.raises(HeftError) as caught:
        built(f"battery_models:{name}")
    sentence = str(caught.value)
    assert sentence.startswith(f"model battery_models:{name}")
    assert battery.REFUSED[name].refused in sentence
    assert sentence.count("\n") == 0
    assert sentence.endswith(".")


def test_examples_have_means_of_both_signs_so_that_a_branch_on_the_batch_takes_both_ways() -> None:
    means = random_inputs(3, (1, 4, 4)).flatten(1).mean(1)
    assert means[1] > 0 > means[2]
