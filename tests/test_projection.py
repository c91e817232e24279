"""Projected gradients are P times the gradients, one by one by reverse mode, in whatever order they are made."""

import hashlib

import pytest
import torch
from attribution_cases import MODELS, Case, inner, make_case
from torch import Tensor

from heft.kernels import functional
from heft.kernels.layers import matrix_gradients
from heft.kernels.losses import cross_entropy
from heft.kernels.projection import gradients as projection
from heft.kernels.projection.choice import costs_less_drawn_again, examples_held
from heft.kernels.projection.gradients import projected_gradients
from heft.kernels.projection.random_rows import BLOCK, RandomRows
from heft.models.build import build_model

DIMENSION = 2 * BLOCK + 5


def stream(name: str) -> torch.Generator:
    return torch.Generator().manual_seed(int.from_bytes(hashlib.sha256(name.encode()).digest()[:7], "big"))


@pytest.fixture(params=sorted(MODELS))
def case(request: pytest.FixtureRequest) -> Case:
    return make_case(request.param)


def random_rows(case: Case, prefix: str = "") -> RandomRows:
    like = {name: g for name, g in case.objective_gradient().items() if name.startswith(prefix)}
    return RandomRows(like, DIMENSION, stream)


def dense(case: Case, drawn: RandomRows) -> tuple[Tensor, Tensor]:
    """P grad l_i and P v with P written down."""
    gradients, phi, of_v = case.gradients(), [], []
    for block in drawn.blocks():
        k = block.stop - block.start
        p = {
            name: torch.randn(k, *v.shape, generator=stream(f"{name}/{block.start}"), dtype=v.dtype)
            for name, v in drawn.like.items()
        }
        for row in range(k):
            direction = {name: stacked[row] for name, stacked in p.items()}
            phi.append(inner({name: gradients[name] for name in direction}, direction))
            of_v.append(inner({name: v[None] for name, v in drawn.like.items()}, direction)[0])
    return torch.stack(phi, dim=1), torch.stack(of_v)


@pytest.mark.parametrize("held", ["rows", "gradients", "gradients of few examples"])
def test_projections_are_products_with_every_gradient(case: Case, held: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "costs_less_drawn_again", lambda *_: held != "rows")
    monkeypatch.setattr("heft.kernels.projection.random_rows.ROWS_BUDGET", 0)
    if held == "gradients of few examples":
        monkeypatch.setattr(projection, "examples_held", lambda *_: 7)
        monkeypatch.setattr(matrix_gradients, "MEMORY_BUDGET", 10_000)
    drawn = random_rows(case)
    projected = projected_gradients(case.model, case.state, *case.train, drawn, cross_entropy)
    for part, expected in zip(projected, dense(case, drawn), strict=True):
        torch.testing.assert_close(part, expected, rtol=0, atol=1e-10)


def test_gradients_are_held_where_they_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "costs_less_drawn_again", lambda *_: True)
    monkeypatch.setattr(projection, "projected_with_rows_held", lambda *_: pytest.fail("rows are held"))
    case = make_case("batch_norm")
    projected_gradients(case.model, case.state, *case.train, random_rows(case), cross_entropy)
    case = make_case("attention")
    with pytest.raises(pytest.fail.Exception, match="rows are held"):
        projected_gradients(case.model, case.state, *case.train, random_rows(case), cross_entropy)


@pytest.mark.parametrize("again", [True, False])
def test_parameters_that_are_left_out_have_no_column(again: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(projection, "costs_less_drawn_again", lambda *_: again)
    case = make_case("cnn")
    drawn = random_rows(case, "4.")
    projected = projected_gradients(case.model, case.state, *case.train, drawn, cross_entropy)
    for part, expected in zip(projected, dense(case, drawn), strict=True):
        torch.testing.assert_close(part, expected, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("name", "shape", "n", "expected"),
    [
        pytest.param("resnet18", (3, 32, 32), 64, True, marks=pytest.mark.slow),
        pytest.param("resnet18", (3, 32, 32), 640, True, marks=pytest.mark.slow),
        ("mlp", (1, 28, 28), 2000, False),
    ],
)
def test_rows_are_drawn_again_where_that_costs_less_than_passes(
    name: str, shape: tuple[int, ...], n: int, expected: bool
) -> None:
    model = build_model(name, {}, shape, 10, seed=0)
    state, inputs = model.state_dict(), torch.zeros(n, *shape)
    drawn = RandomRows(dict(model.named_parameters()), 512, stream)
    size = examples_held(model, state, inputs, drawn)
    assert costs_less_drawn_again(model, state, inputs, drawn, size) is expected
    assert size * functional.activation_bytes(model, state, inputs) <= 4 * drawn.n_held * drawn.n_columns
