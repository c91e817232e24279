"""Gradients of one's own making, mixed types and checkpointing: right scores, or one sentence."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from battery.entry import N_CLASSES, N_INPUTS, Function
from dense_reference import Reference, close, reference
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from heft.errors import HeftError
from heft.registry import declarations


class Sign(torch.autograd.Function):
    """The sign, with the gradient of the identity: no forward mode."""

    @staticmethod
    def forward(_context: Any, x: Tensor) -> Tensor:  # type: ignore[override]
        return x.sign()

    @staticmethod
    def backward(_context: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return gradient


class Once(torch.autograd.Function):
    """Doubles, with a gradient that cannot be differentiated."""

    @staticmethod
    def forward(_context: Any, x: Tensor) -> Tensor:  # type: ignore[override]
        return 2 * x

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(_context: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return 2 * gradient


def between(function: Callable[[Tensor], Tensor]) -> Callable[[], nn.Module]:
    """Two linear layers with a function between them."""
    return lambda: Function(
        lambda self, x: self.out(function(self.first(x.flatten(1)))),
        first=nn.Linear(N_INPUTS, 8),
        out=nn.Linear(8, N_CLASSES),
    )


def mixed() -> nn.Module:
    """A second layer of half the digits."""
    return Function(
        lambda self, x: self.out(torch.tanh(self.first(x.flatten(1))).bfloat16()).float(),
        first=nn.Linear(N_INPUTS, 8),
        out=nn.Linear(8, N_CLASSES).bfloat16(),
    )


def reentrant() -> nn.Module:
    return Function(
        lambda self, x: self.out(checkpoint(self.middle, torch.tanh(self.first(x.flatten(1))), use_reentrant=True)),
        first=nn.Linear(N_INPUTS, 8),
        middle=nn.Linear(8, 8),
        out=nn.Linear(8, N_CLASSES),
    )


OWN = {
    "straight through": between(Sign.apply),
    "straight through a detach": between(lambda h: h + (h.round() - h).detach()),
    "once": between(Once.apply),
    "mixed": mixed,
}


def scored(method: str, build: Callable[[], nn.Module], **options: object) -> tuple[Reference, Tensor]:
    """A reference of the module, and the scores at its state in a module with other parameters."""
    torch.manual_seed(0)
    dtype = torch.float32 if build is mixed else torch.float64
    models = [build() if build is mixed else build().double() for _ in range(2)]
    given = reference("linear")
    train, validation = (part._replace(inputs=part.inputs.to(dtype)) for part in (given.train, given.validation))
    it = Reference(models[0].eval(), train, validation)
    context = it.context("linear", model=models[1].eval())
    scores: Tensor = declarations("methods")[method].load()(context, **options)
    return it, scores.double()


@pytest.mark.parametrize("name", OWN)
def test_scores_have_the_gradients_that_training_has(name: str) -> None:
    tolerance = 0.03 if name == "mixed" else 1e-8
    it, scores = scored("ip", OWN[name])
    close(scores, it.gradients @ it.v, tolerance)
    it, scores = scored("self_ip", OWN[name])
    close(scores, -it.gradients.square().sum(1), tolerance)
    for method, options in (("datainf", {}), ("random_projection", {"dimension": 20})):
        assert scored(method, OWN[name], **options)[1].isfinite().all()


@pytest.mark.parametrize("name", ["straight through", "straight through a detach"])
def test_the_gauss_newton_matrix_is_of_the_gradients_that_training_has(name: str) -> None:
    it, scores = scored("if_exact", OWN[name], damping=0.5, curvature="gauss_newton")
    largest = torch.linalg.eigvalsh(it.gauss_newton)[-1]
    damped = it.gauss_newton + 0.5 * largest * torch.eye(len(it.v), dtype=torch.float64)
    close(scores, it.gradients @ torch.linalg.solve(damped, it.v), 1e-8)


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("once", {"curvature": "gauss_newton"}, "cannot be run in forward mode"),
        ("once", {"curvature": "hessian"}, "Function has no Hessian that can be trusted"),
    ],
)
def test_curvature_that_torch_cannot_give_is_one_sentence(name: str, options: dict[str, object], sentence: str) -> None:
    with pytest.raises(HeftError, match=sentence):
        scored("if_exact", OWN[name], **options)


def test_checkpointing_that_needs_a_whole_backward_pass_is_one_sentence() -> None:
    for method in ("ip", "self_ip", "datainf"):
        with pytest.raises(HeftError, match=r"The gradient of Function cannot be taken: When use_reentrant=True"):
            scored(method, reentrant)
