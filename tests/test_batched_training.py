"""When models are trained together, what is said where they are not, and what a training leaves as it was."""

import random
import re
from collections.abc import Callable
from pathlib import Path

import battery
import numpy as np
import pandas as pd
import pytest
import torch
from battery.entry import Function, head, tokens
from sgd_reference import SETTINGS, built, examples, worst_error
from torch import Tensor, nn

from heft.curation.plan import unpruned_plan
from heft.curation.retrain import retrain
from heft.models.build import ModelSpec, build_model
from heft.seeds import RunSeeds
from heft.training.batched.train_many import stack_states, train_many, unstack_state
from heft.training.loop import state_of, train_one
from heft.training.runs import train_runs


def reasons(model: nn.Module, seed: int = 0) -> list[str]:
    """What is told of training two such models."""
    told: list[str] = []
    train = examples(dtype=next(model.parameters()).dtype)
    train_many(model, stack_states([state_of(model)] * 2), train, SETTINGS, order_seeds=[1, 2], told=told.append)
    return told


def test_a_gradient_that_is_rounding_alone_is_no_reason() -> None:
    """The bias of the keys shifts all of a query's products alike, so that the weights do not depend on it."""

    def attend(self: Function, x: Tensor) -> Tensor:
        seen = torch.tanh(self.enter(tokens(x)))
        weights = (self.query(seen) @ self.key(seen).mT).softmax(dim=-1)
        return self.out((weights @ seen).mean(1))

    for dtype in (torch.float32, torch.float64):
        torch.manual_seed(0)
        width = tokens(examples(1).inputs).shape[-1]
        layers = {name: nn.Linear(8, 8) for name in ("query", "key")}
        model = Function(attend, enter=nn.Linear(width, 8), out=nn.Linear(8, battery.N_CLASSES), **layers).to(dtype)
        assert reasons(model) == []


def with_mean(self: Function, x: Tensor) -> Tensor:
    """Keeps a running mean in a buffer that it makes anew."""
    if self.training:
        self.mean = 0.9 * self.mean + 0.1 * x.flatten(1).mean(0).detach()
    return self.out(x.flatten(1) - self.mean)


def running_mean() -> nn.Module:
    model = Function(with_mean, out=nn.Linear(16, 4))
    model.register_buffer("mean", torch.zeros(16))
    return model


def skipping() -> nn.Module:
    """A layer that Python's generator leaves out of some steps."""
    return Function(
        lambda self, x: self.out(x.flatten(1) + (self.first(x.flatten(1)) if random.random() < 0.5 else 0)),
        first=nn.Linear(16, 16),
        out=nn.Linear(16, 4),
    )


def centred_in_training() -> nn.Module:
    return Function(
        lambda self, x: self.out(x.flatten(1) - (x.flatten(1).mean(0) if self.training else 0)), out=nn.Linear(16, 4)
    )


REASONS: dict[str | Callable[[], nn.Module], str] = {
    "functional_dropout": "its forward pass draws random numbers",
    skipping: "its forward pass draws random numbers",
    running_mean: "its forward pass changes mean",
    "spectral_norm": r"its forward pass changes 1\.parametrizations",
    centred_in_training: "depend on the other examples of its batch",
    "branch_of_parameter": r"torch cannot batch it \(vmap: .*\.item\(\)",
    "lstm": "torch has no rule to batch aten::lstm$",
    "bilinear": "torch has no rule to batch aten::bilinear$",
    "checkpointed": "torch cannot batch it",
    "embedding_with_padding": "torch, where it batches embed, trains the padding",
}


@pytest.mark.parametrize("model", REASONS, ids=lambda model: model if isinstance(model, str) else model.__name__)
def test_one_sentence_says_why_models_are_trained_one_by_one(model: str | Callable[[], nn.Module]) -> None:
    (told,) = reasons(built(model, 0, torch.float32) if isinstance(model, str) else model())
    assert re.search(REASONS[model], told)


@pytest.mark.parametrize("name", ["linear", "tied", "registered_twice", "embedding", "layer_norm", "unused"])
def test_what_torch_can_batch_is_trained_together_without_a_word(name: str) -> None:
    together: list[int] = []
    model = built(name, 0, torch.float32)
    model.register_forward_pre_hook(lambda _, inputs: together.append(1))
    assert reasons(model) == []
    # One forward pass a step for both models: 20, and those of the trial.
    assert 20 < len(together) < 30


def test_the_gradients_are_compared_before_models_are_trained_together() -> None:
    model = head(nn.Linear(16, 8))
    model[1].weight.register_hook(lambda gradient: 2 * gradient)  # which the stack of weights does not know
    assert reasons(model) == ["the gradient of 1.weight differs where torch batches it"]


def test_the_sentence_names_the_model_and_reaches_who_retrains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "drawing.py").write_text(
        "from torch import nn\nfrom torch.nn import functional\n\n\n"
        "class Model(nn.Module):\n"
        "    def __init__(self):\n        super().__init__()\n        self.out = nn.Linear(16, 4)\n\n"
        "    def forward(self, x):\n        return self.out(functional.dropout(x.flatten(1), 0.2, self.training))\n\n\n"
        "def build(input_shape, n_classes):\n    return Model()\n"
    )
    monkeypatch.chdir(tmp_path)
    spec, train = ModelSpec("drawing:build", {}, battery.INPUT_SHAPE, battery.N_CLASSES), examples(dtype=torch.float32)
    sentence = (
        "Model drawing:build: several models are trained one by one, not together, since its forward pass draws random "
        "numbers."
    )
    table = pd.DataFrame({"id": train.ids, "label": train.labels.numpy()})
    plan = pd.concat([unpruned_plan(table), unpruned_plan(table).assign(action="remove", fraction=0.1)])
    told: list[str] = []
    retrain(spec, train, plan, SETTINGS, RunSeeds(1, 2), told=told.append)
    assert told == [sentence]
    trained = train_runs(spec, train, train, SETTINGS, {0: RunSeeds(1, 2), 1: RunSeeds(3, 4)})
    assert trained.notes == (sentence,)
    assert train_runs(spec, train, train, SETTINGS, {0: RunSeeds(1, 2)}).notes == ()


def test_members_start_with_the_buffers_that_no_state_has() -> None:
    def counting(self: Function, x: Tensor) -> Tensor:
        self.steps += self.training
        return self.out(x.flatten(1)) / self.steps.clamp(min=1)

    model = Function(counting, out=nn.Linear(16, 4))
    model.register_buffer("steps", torch.zeros(()), persistent=False)
    train = examples(dtype=torch.float32)
    trained = train_many(model, stack_states([state_of(model)] * 2), train, SETTINGS, order_seeds=[1, 1])
    assert worst_error(unstack_state(trained, 0), unstack_state(trained, 1)) == 0


def test_a_training_that_fails_leaves_modes_generators_and_weights_as_they_were() -> None:
    def failing(self: Function, x: Tensor) -> Tensor:
        if self.training:
            torch.rand(1), random.random(), np.random.random()
            raise RuntimeError("out of memory")
        return self.out(x.flatten(1))

    model = Function(failing, out=nn.Linear(16, 4), frozen=nn.BatchNorm1d(4))
    model.train()
    model.frozen.eval()
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # type: ignore[index, union-attr]
    before, train = state_of(model), examples(dtype=torch.float32)
    plain = Function(failing, out=model.out)
    with pytest.raises(RuntimeError, match="out of memory"):
        train_one(model, train, SETTINGS, order_seed=1)
    with pytest.raises(RuntimeError, match="out of memory"):
        train_many(plain, stack_states([state_of(plain)] * 2), train, SETTINGS, order_seeds=[1, 2])
    assert (model.training, model.frozen.training, model.out.training) == (True, False, True)
    assert worst_error(state_of(model), before) == 0
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert np.array_equal(np.random.get_state()[1], states[2])  # type: ignore[index]


def test_training_works_where_a_module_has_switched_gradients_off() -> None:
    train = examples(dtype=torch.float32)
    model = build_model("mlp", {}, battery.INPUT_SHAPE, battery.N_CLASSES, 0)
    initial = stack_states([state_of(model)] * 2)
    with torch.no_grad():
        trained = train_many(model, initial, train, SETTINGS, order_seeds=[1, 2])
    assert worst_error(trained, initial) > 1e-3
