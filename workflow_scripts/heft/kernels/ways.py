"""Which way of taking J d is right on a model: each is compared, once a model, with gradients one by one.

Forward mode is fastest, but passes where no gradient does (a part of a torch function that is cut off inside, a
gradient of one's own making), and not everything has it. The double backward pass takes d/dc <J^T c, d>, which is
linear in c, with the gradients that training has; it needs rules that can be differentiated. Gradients of one example
after the other need nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import Enum

import torch
from torch import Tensor, nn

from heft.devices import CPU
from heft.kernels.calling import while_holding
from heft.kernels.functional import Direction, Loss, State, evaluation
from heft.kernels.once import once_a_model
from heft.kernels.reverse import gradients_by, gradients_one_by_one
from heft.kernels.selection import trainable_parameters
from heft.kernels.tangents import logits_jvp


class Way(Enum):
    """How J d is taken."""

    FORWARD = "forward mode"
    DOUBLE_BACKWARD = "double backward pass"
    ONE_BY_ONE = "gradients one by one"


def way_of(model: nn.Module, values: State, inputs: Tensor) -> Way:
    """The first way that is right for two examples along a random direction; values: of `values_of`.

    Raises HeftError where the model has no gradient at all.
    """
    return once_a_model(model, "way", lambda: _first_right(model, values, inputs[:2]))


def _first_right(model: nn.Module, values: State, inputs: Tensor) -> Way:
    trial = Trial(model, values, inputs)
    for way, take in ((Way.FORWARD, logits_jvp), (Way.DOUBLE_BACKWARD, double_backward)):
        if trial.agrees(take):
            return way
    return Way.ONE_BY_ONE


class Trial:
    """<c_i, J_i d> of a few examples for a direction d and cotangents c that are drawn, from gradients one by one."""

    def __init__(self, model: nn.Module, values: State, inputs: Tensor) -> None:
        names = trainable_parameters(model) or tuple(name for name, _ in model.named_parameters())
        self._model, self._values, self._inputs = model, values, inputs
        self._direction = {name: drawn(0, values[name].shape, values[name]) for name in names}
        stacked = {name: tensor[None] for name, tensor in self._direction.items()}
        rows = torch.arange(len(inputs), device=CPU)  # numbers of examples, by which cotangents are drawn
        self._truth = one_by_one(model, values, stacked, inputs, rows, _weighted)[0]
        types = [tensor.dtype for tensor in (*self._direction.values(), self._truth) if tensor.is_floating_point()]
        self._error = 4 * max(torch.finfo(dtype).eps for dtype in types) ** 0.5 * float(self._truth.abs().max())

    def agrees(self, take: Callable[[nn.Module, State, Direction, Tensor], tuple[Tensor, Tensor]]) -> bool:
        """Whether `take` gives J d, and logits that a backward pass runs from; it does not where it fails."""
        rows = torch.arange(len(self._truth), device=CPU)
        leaves = {name: self._values[name].detach().requires_grad_() for name in self._direction}
        values = {**self._values, **leaves}

        def run(held: nn.Module) -> tuple[Tensor, Tensor]:
            logits, tangent = take(self._model, values, self._direction, self._inputs)
            total = _weighted(logits, rows).sum()
            return _weighted(tangent.detach(), rows), products_of_gradients(total, leaves, self._direction)

        try:
            with torch.enable_grad(), evaluation(self._model):
                products, summed = while_holding(self._model, values, run)
        except (RuntimeError, NotImplementedError, AttributeError, TypeError, ValueError):
            return False
        right = (products - self._truth).abs().max() <= self._error
        return bool(right) and bool((summed - self._truth.sum()).abs() <= 2 * self._error)


def drawn(seed: int, shape: Sequence[int], like: Tensor) -> Tensor:
    """Numbers from N(0, 1), always the same; of the type and on the device of `like`."""
    return torch.randn(tuple(shape), generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(
        like.device, like.dtype
    )


def _weighted(logits: Tensor, rows: Tensor) -> Tensor:
    """<c_i, logits_i> [b] for the examples of these numbers."""
    return (logits * torch.stack([drawn(1 + row, logits.shape[1:], logits) for row in rows.tolist()])).sum(dim=1)


def products_of_gradients(total: Tensor, leaves: Mapping[str, Tensor], direction: Direction) -> Tensor:
    """<d, grad total> as a number; 0 where nothing depends on the leaves."""
    pairs = zip(gradients_by(total, leaves.values()), direction.values(), strict=True)
    terms = ((gradient * tensor).sum() for gradient, tensor in pairs if gradient is not None)
    return sum(terms, torch.zeros((), device=total.device))


def double_backward(model: nn.Module, values: State, direction: Direction, batch: Tensor) -> tuple[Tensor, Tensor]:
    """Logits and J d [b, n_classes]; logits have a graph to those of `values` that require a gradient."""
    leaves = {
        name: values[name] if values[name].requires_grad else values[name].detach().requires_grad_()
        for name in direction
    }

    def run(held: nn.Module) -> tuple[Tensor, Tensor]:
        logits: Tensor = held(batch)
        tangent = torch.zeros_like(logits)
        if not logits.requires_grad:
            return logits, tangent
        cotangents = torch.zeros_like(logits, requires_grad=True)
        gradients = torch.autograd.grad(logits, list(leaves.values()), cotangents, create_graph=True, allow_unused=True)
        pairs = zip(gradients, direction.values(), strict=True)
        terms = [(gradient * tensor).sum() for gradient, tensor in pairs if gradient is not None]
        if moving := [term for term in terms if term.requires_grad]:
            (tangent,) = torch.autograd.grad(sum(moving, torch.zeros((), device=logits.device)), cotangents)
        return logits, tangent

    with torch.enable_grad():
        return while_holding(model, {**values, **leaves}, run)


def one_by_one(
    model: nn.Module, values: State, directions: Direction, inputs: Tensor, labels: Tensor, loss: Loss
) -> Tensor:
    """<d_k, grad l_i> [k, n] for directions [k, ...], by a backward pass for each example.

    Raises HeftError where torch has no gradient of the model.
    """
    scores = []
    for gradients in gradients_one_by_one(model, values, list(directions), inputs, labels, loss):
        parts = [
            directions[name].reshape(-1, gradient.numel()) @ gradient.flatten() for name, gradient in gradients.items()
        ]
        scores.append(sum(parts, torch.zeros((), device=inputs.device)))
    return torch.stack(scores, dim=1)
