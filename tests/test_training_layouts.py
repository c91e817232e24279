"""Training of modules whose parameters or gradients lie in memory, or are typed, in an unusual way."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from battery.entry import Function, head
from sgd_reference import SETTINGS, examples, worst_error
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from heft.checking.plain_sgd import plain_sgd
from heft.errors import HeftError
from heft.training.batched.train_many import stack_states, train_many, unstack_state
from heft.training.loop import state_of, train_one
from heft.training.settings import TrainingSettings


def flat(x: Tensor) -> Tensor:
    return x.flatten(1)


def three_types() -> nn.Module:
    """Layers of float32, float64 and bfloat16, each cast to the next."""
    return Function(
        lambda self, x: self.c(torch.tanh(self.b(torch.tanh(self.a(flat(x))).double())).bfloat16()),
        a=nn.Linear(16, 8),
        b=nn.Linear(8, 8).double(),
        c=nn.Linear(8, 4).bfloat16(),
    )


def views() -> nn.Module:
    """Parameters that are views: with gaps between their rows, transposed, and each second entry."""
    return Function(
        lambda self, x: torch.tanh(flat(x) @ self.gaps) @ self.transposed + self.second,
        gaps=nn.Parameter(torch.randn(16, 9)[:, :8]),
        transposed=nn.Parameter(torch.randn(4, 8).T),
        second=nn.Parameter(torch.randn(8)[::2]),
    )


def one_memory() -> nn.Module:
    """Two parameters in one memory, one of them transposed."""
    weight = torch.randn(16, 16) / 4
    return Function(
        lambda self, x: self.out(torch.tanh(torch.tanh(flat(x) @ self.first) @ self.second)),
        first=nn.Parameter(weight),
        second=nn.Parameter(weight.T),
        out=nn.Linear(16, 4),
    )


def complex_weight() -> nn.Module:
    return Function(
        lambda self, x: self.out((flat(x).to(torch.complex64) @ self.weight).abs()),
        weight=nn.Parameter(torch.randn(16, 8, dtype=torch.complex64) / 4),
        out=nn.Linear(8, 4),
    )


def in_some_steps() -> nn.Module:
    """A layer that some batches do not reach."""
    return Function(
        lambda self, x: self.always(flat(x)) + (self.sometimes(flat(x)) if x[0].sum() > 0 else 0),
        always=nn.Linear(16, 4),
        sometimes=nn.Linear(16, 4),
    )


def hooked() -> nn.Module:
    """A weight whose gradient a hook clips."""
    model = head(nn.Linear(16, 8))
    model[1].weight.register_hook(lambda gradient: gradient.clamp(-0.01, 0.01))
    return model


def embedded(**options: object) -> nn.Module:
    return Function(
        lambda self, x: self.out(torch.tanh(self.embed((flat(x).abs() * 2).long().clamp(0, 7))).mean(1)),
        embed=nn.Embedding(8, 8, **options),  # type: ignore[arg-type]
        out=nn.Linear(8, 4),
    )


def recomputed() -> nn.Module:
    """Checkpointing of the older kind, which runs a backward pass within the backward pass."""
    return Function(
        lambda self, x: self.out(torch.tanh(checkpoint(self.middle, self.first(flat(x)), use_reentrant=True))),
        first=nn.Linear(16, 8),
        middle=nn.Linear(8, 8),
        out=nn.Linear(8, 4),
    )


def without_entries() -> nn.Module:
    return Function(lambda self, x: self.out(flat(x)), none=nn.Parameter(torch.zeros(0, 3)), out=nn.Linear(16, 4))


def channels_last() -> nn.Module:
    """Weights in another memory layout."""
    layers = (nn.Conv2d(1, 4, 3, padding=1), nn.Tanh(), nn.Conv2d(4, 4, 3), nn.Flatten(), nn.Linear(16, 4))
    return nn.Sequential(*layers).to(memory_format=torch.channels_last)


MODELS: dict[str, Callable[[], nn.Module]] = {
    function.__name__: function
    for function in (
        *(three_types, views, one_memory, complex_weight, in_some_steps, hooked, recomputed, without_entries),
        channels_last,
    )
} | {
    "bounded_embedding": lambda: embedded(max_norm=1.0),
    "older_weight_norm": lambda: head(torch.nn.utils.weight_norm(nn.Linear(16, 8))),
    "older_spectral_norm": lambda: head(torch.nn.utils.spectral_norm(nn.Linear(16, 8))),
}


def model_of(build: Callable[[], nn.Module], seed: int) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return build()


def check(build: Callable[[], nn.Module], settings: TrainingSettings, limit: float) -> None:
    """Two models, alone and by `train_many`, against torch.optim.SGD."""
    train = examples(dtype=torch.float32)
    models = [model_of(build, seed) for seed in range(2)]
    expected = [plain_sgd(model_of(build, seed), train, settings, 7 + seed) for seed in range(2)]
    initial = stack_states([state_of(model) for model in models])
    together = train_many(model_of(build, 5), initial, train, settings, order_seeds=[7, 8])
    for seed, model in enumerate(models):
        assert worst_error(train_one(model, train, settings, order_seed=7 + seed), expected[seed]) < limit
        assert worst_error(unstack_state(together, seed), expected[seed]) < limit
        assert all(parameter.grad is None for parameter in model.parameters())


@pytest.mark.filterwarnings(
    "ignore:.*weight_norm.*is deprecated", "ignore:None of the inputs", "ignore:Casting complex"
)
@pytest.mark.parametrize("name", MODELS)
def test_parameters_of_any_layout_and_type_are_trained_as_by_torch(name: str) -> None:
    check(MODELS[name], SETTINGS, 4 * 2**-7 if name == "three_types" else 1e-4)


def test_a_sparse_gradient_is_trained_as_by_torch_and_decays_where_torch_refuses() -> None:
    check(lambda: embedded(sparse=True), replace(SETTINGS, weight_decay=0.0, momentum=0.0), 1e-5)
    check(lambda: embedded(sparse=True), replace(SETTINGS, weight_decay=0.0), 1e-5)
    train, sparse, full = (
        examples(dtype=torch.float32),
        model_of(lambda: embedded(sparse=True), 0),
        model_of(embedded, 0),
    )
    trained, expected = (train_one(model, train, SETTINGS, order_seed=1) for model in (sparse, full))
    assert worst_error(trained, expected) < 1e-6


def test_a_parameter_whose_entries_share_memory_is_refused_by_name() -> None:
    model = Function(
        lambda self, x: self.out(flat(x)) + self.shift,
        shift=nn.Parameter(torch.zeros(1).expand(4)),
        out=nn.Linear(16, 4),
    )
    train = examples(dtype=torch.float32)
    with pytest.raises(HeftError, match="parameter shift cannot be trained: several of its entries share one place"):
        train_one(model, train, SETTINGS, order_seed=1)
    with pytest.raises(HeftError, match="shift"):
        train_many(model, stack_states([state_of(model)] * 2), train, SETTINGS, order_seeds=[1, 2])
