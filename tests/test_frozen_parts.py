"""Frozen parts of any model: they are not trained, keep their statistics, and count for no score."""

import copy
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from network_cases import COLOURED, built, pictures, reference, saved
from sgd_reference import worst_error
from torch import Tensor, nn
from training_cases import SETTINGS, examples, model_of

from heft.checking.plain_sgd import plain_sgd
from heft.data.examples import Examples
from heft.errors import HeftError
from heft.kernels.selection import moved_parameters
from heft.models.build import build_model
from heft.models.start import freeze
from heft.registry import find
from heft.training.loop import state_of, train_one

FROZEN = ["conv1", "stage2", "stage3.0.branch1", "stage4.1.branch2.0.weight"]
BRIEF = replace(SETTINGS, epochs=2, batch_size=4, schedule="constant")


def data() -> Examples:
    return replace(examples(6), inputs=pictures(COLOURED).double(), labels=torch.arange(6) % 4)


def is_frozen(name: str) -> bool:
    return any(name == part or name.startswith(f"{part}.") for part in FROZEN)


def test_training_leaves_frozen_parameters_and_statistics_and_is_plain_sgd_on_the_rest(tmp_path: Path) -> None:
    options = {"weights": saved(tmp_path, reference(4)), "frozen": FROZEN}
    model = built(options).double()
    before = state_of(model)
    trained = train_one(model, data(), BRIEF, order_seed=3)
    changed = {name for name in before if not torch.equal(before[name], trained[name])}
    assert changed == {name for name in before if not is_frozen(name)}
    assert worst_error(trained, plain_sgd(built(options).double(), data(), BRIEF, 3)) < 1e-8


def test_frozen_modules_stay_in_evaluation_mode_in_copies_too() -> None:
    model = copy.deepcopy(built({"frozen": ["stage2"]})).train()
    modes = {name: module.training for name, module in model.named_modules()}
    assert {name for name, training in modes.items() if not training} == {
        name for name in modes if name == "stage2" or name.startswith("stage2.")
    }
    assert model.stage2.training is False
    assert model.eval().training is False


def test_a_batch_of_one_is_trained_on_where_all_batch_normalisation_is_frozen() -> None:
    model = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 3))
    before = state_of(model)
    one, few = replace(SETTINGS, batch_size=1), examples(3)
    assert worst_error(train_one(copy.deepcopy(model), few, one, order_seed=1), before) == 0
    freeze(model, "1", "model of a test")
    assert worst_error(train_one(model, few, one, order_seed=1), before) > 1e-3


def test_what_is_frozen_counts_for_no_score() -> None:
    model = built({"frozen": FROZEN})
    moved = moved_parameters(model, state_of(model), pictures())
    assert set(moved) == {name for name, _ in model.named_parameters() if not is_frozen(name)}


def test_registered_models_take_frozen_parts_and_weights_too(tmp_path: Path) -> None:
    given = model_of("mlp", seed=4)
    options = {"weights": saved(tmp_path, given), "frozen": ["1", "3.weight"]}
    model = build_model("mlp", options, (1, 8, 8), 3, 0)
    assert worst_error(state_of(model), state_of(given)) == 0
    assert [name for name, parameter in model.named_parameters() if not parameter.requires_grad] == [
        *("1.weight", "1.bias", "3.weight")
    ]
    assert dict(find("models", "mlp").changed_options({"frozen": [], "weights": None})) == {}


OWN = """
from torch import nn

def build(input_shape, n_classes, *, width: int = 8):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, width), nn.BatchNorm1d(width), nn.Linear(width, n_classes))

def with_its_own(input_shape, n_classes, *, frozen: int = 8):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, frozen), nn.Linear(frozen, n_classes))

class Net(nn.Sequential):
    def __init__(self, shape, n_classes, width=4):
        super().__init__(nn.Flatten(), nn.Linear(64, width), nn.Linear(width, n_classes))
"""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "my_parts.py").write_text(OWN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "my_parts", raising=False)
    return tmp_path


def of_own(function: str, **options: object) -> nn.Module:
    return build_model(f"my_parts:{function}", options, (1, 8, 8), 3, 0)


def frozen_in(model: nn.Module) -> list[str]:
    return [name for name, parameter in model.named_parameters() if not parameter.requires_grad]


def test_a_persons_own_model_takes_both_unless_it_has_an_option_of_that_name(own: Path) -> None:
    assert frozen_in(of_own("build", width=5, frozen=["1", "2"])) == ["1.weight", "1.bias", "2.weight", "2.bias"]
    assert frozen_in(of_own("Net", frozen=["1.bias"])) == ["1.bias"]
    assert frozen_in(of_own("with_its_own", frozen=6)) == []
    other = nn.Sequential(nn.Flatten(), nn.Linear(64, 8), nn.BatchNorm1d(8), nn.Linear(8, 10))
    model = of_own("build", weights=saved(own, other), frozen=["1"])
    assert torch.equal(model[1].weight, other[1].weight)  # type: ignore[index]


def test_a_part_that_is_not_there_is_one_sentence(own: Path) -> None:
    with pytest.raises(HeftError, match=r'^model mlp: frozen has "7", which is no part of it; Known: 0, 1, 2, 3, 4'):
        build_model("mlp", {"frozen": ["7"]}, (1, 8, 8), 3, 0)
    everything: dict[str, Tensor] = state_of(of_own("Net"))
    with pytest.raises(HeftError, match="no parameter that training may move: requires_grad is False for all"):
        of_own("Net", frozen=list(everything))
