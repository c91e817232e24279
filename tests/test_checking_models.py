"""The check of a model says what it found, and refuses what cannot be judged."""

import sys
from pathlib import Path
from types import ModuleType

import battery
import pytest
import torch
from checked import Straight, subject
from torch import Tensor, nn

from heft.checking import methods
from heft.checking.model_check import check_model
from heft.checking.subject import subject_of
from heft.checking.table import table
from heft.errors import HeftError
from heft.models.build import ModelSpec
from heft.workflow.planning.asked import option_of, shape_of, tried_on


@pytest.fixture(autouse=True)
def battery_as_a_module(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("battery_models")
    for name, entry in battery.MODELS.items():
        setattr(module, name, entry.build)
    module.__dict__.update(straight=lambda *_: Straight())
    monkeypatch.setitem(sys.modules, "battery_models", module)


def test_each_registered_method_is_run_and_what_cannot_says_why() -> None:
    of_methods, of_kinds = methods.methods_that_run(
        subject("logistic"), methods.all_methods(), ["parameter_dropout", "activation_dropout", "seeds"]
    )
    assert {finding.what: finding.reason for finding in of_methods if not finding.holds} == {}
    assert len(of_methods) == len(methods.all_methods())
    cannot = "activation_dropout: the model has no hidden layer whose activations could be dropped"
    assert [finding.reason for finding in of_kinds] == ["", cannot, ""]


def test_the_table_says_the_numbers_what_holds_and_what_cannot_run() -> None:
    spec = ModelSpec("mlp", {"hidden": [600]}, [1, 4, 4], 4)
    check = check_model(spec, [("loss", {}), ("if_exact", {"damping": 0.2})], ["seeds"])
    text = table(check)
    assert "model mlp, hidden [600]: inputs [1, 4, 4], 4 classes" in text
    assert f"{(16 + 1) * 600 + (600 + 1) * 4:,} parameters" in text
    assert "if_exact damping 0.2  cannot: parameters selects 12,604 numbers" in text
    assert "  loss                  runs\n" in text
    assert text.count("  holds  ") == 7
    assert check.cannot[0].startswith("method if_exact damping 0.2 cannot run on model mlp: parameters selects 12,604")
    assert ModelSpec(**check.as_json()["model"]) == spec


def test_frozen_and_unreached_parameters_are_counted() -> None:
    facts = check_model(subject("unused").spec, [], []).facts
    assert (facts["trained"], facts["frozen"], facts["unreached"]) == (16 * 4 + 4 + 3 * 4 + 2, 0, 3 * 4 + 2)
    assert check_model(subject("frozen_bias").spec, [], []).facts["frozen"] == 8


def test_logits_that_are_not_finite_for_the_data_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        sys.modules["battery_models"], "root", lambda *_: nn.Sequential(Root(), nn.LazyLinear(4)), False
    )
    spec = ModelSpec("battery_models:root", {}, battery.INPUT_SHAPE, battery.N_CLASSES)
    assert subject_of(spec).examples.inputs.min() >= 0
    with pytest.raises(HeftError, match="model battery_models:root returns logits that are not finite"):
        subject_of(spec, -torch.ones(4, *battery.INPUT_SHAPE))


class Root(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1).sqrt()


def test_shapes_and_options_are_read_as_they_are_written() -> None:
    assert shape_of("1,28,28") == [1, 28, 28]
    assert [option_of(text) for text in ("width=24", "norm=batch", "hidden=[3, 4]", "rate=0.5")] == [
        ("width", 24),
        ("norm", "batch"),
        ("hidden", [3, 4]),
        ("rate", 0.5),
    ]


def test_an_experiments_methods_and_kinds_are_tried_under_its_objective() -> None:
    definition = {
        "methods": ["ip", {"if_cg": {"damping": [0.1, 0.2]}}],
        "ensembles": [{"kind": "seeds", "sizes": [2]}],
        "objective": "macro_loss",
    }
    assert tried_on({"experiments": ["a"], "definitions": {"a": definition}}, "a") == {
        "methods": [("ip", {}), ("if_cg", {}), ("if_cg", {"damping": 0.2})],
        "kinds": ["seeds"],
        "objective": ("macro_loss", {}),
    }
