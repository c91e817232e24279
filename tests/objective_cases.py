"""Objectives for tests, and their dense formulas."""

from collections.abc import Callable

import torch
from attribution_cases import N_CLASSES, Case
from torch import Tensor, nn
from torch.func import functional_call, grad
from torch.nn.functional import cross_entropy

from heft.kernels.batch import Batch
from heft.kernels.calling import call
from heft.kernels.functional import State
from heft.objectives.declare import Objective, objective
from heft.objectives.logits import differentiable_logits
from heft.objectives.loss import loss
from heft.objectives.macro_loss import macro_loss

Dense = Callable[[Callable[[Tensor], Tensor], Batch], Tensor]  # (inputs -> logits, batch) -> scalar


@objective(title="Attacked", formula="mean loss at x + epsilon sign(grad_x loss)", mean_over_examples=True)
def attacked(model: nn.Module, state: State, batch: Batch, *, epsilon: float = 0.3) -> Tensor:
    x = batch.inputs.clone().requires_grad_()
    (slope,) = torch.autograd.grad(cross_entropy(differentiable_logits(model, state, x), batch.labels), x)
    return cross_entropy(differentiable_logits(model, state, batch.inputs + epsilon * slope.sign()), batch.labels)


@objective(title="Gap", formula="squared gap of the mean log odds of class 0 between two groups", needs=("groups",))
def gap(model: nn.Module, state: State, batch: Batch) -> Tensor:
    odds = differentiable_logits(model, state, batch.inputs).log_softmax(dim=1)[:, 0]
    return (odds[batch.groups == 0].mean() - odds[batch.groups == 1].mean()).square()


def through_the_model(model: nn.Module, state: State, batch: Batch) -> Tensor:
    """Neither a mean nor by the helper: a product of two numbers, one at a moved state."""
    moved = {name: 1.1 * tensor if tensor.is_floating_point() else tensor for name, tensor in state.items()}
    return model(batch.inputs).square().mean() * call(model, moved, batch.inputs).logsumexp(dim=1).mean()


def dense_loss(logits_at: Callable[[Tensor], Tensor], batch: Batch) -> Tensor:
    log_p = torch.log(torch.exp(logits_at(batch.inputs)) / torch.exp(logits_at(batch.inputs)).sum(1, keepdim=True))
    return -torch.stack([log_p[row, label] for row, label in enumerate(batch.labels.tolist())]).mean()


def dense_macro(logits_at: Callable[[Tensor], Tensor], batch: Batch) -> Tensor:
    of_class = [batch.labels == label for label in range(N_CLASSES)]
    parts = [Batch(batch.inputs[rows], batch.labels[rows]) for rows in of_class if rows.any()]
    return sum((dense_loss(logits_at, part) for part in parts), torch.zeros(())) / len(parts)


def dense_attacked(logits_at: Callable[[Tensor], Tensor], batch: Batch) -> Tensor:
    slopes = grad(lambda x: dense_loss(logits_at, Batch(x, batch.labels)))(batch.inputs)
    return dense_loss(logits_at, Batch(batch.inputs + 0.3 * slopes.detach().sign(), batch.labels))


def dense_gap(logits_at: Callable[[Tensor], Tensor], batch: Batch) -> Tensor:
    odds = torch.log(logits_at(batch.inputs).softmax(dim=1)[:, 0])
    signs = 1.0 - 2.0 * batch.groups
    counts = torch.bincount(batch.groups)[batch.groups]
    return (signs * odds / counts).sum() ** 2


DENSE: dict[str, tuple[Objective, Dense]] = {
    "loss": (loss, dense_loss),
    "macro_loss": (macro_loss, dense_macro),
    "attacked": (attacked, dense_attacked),
    "gap": (gap, dense_gap),
}


def uneven(case: Case) -> Batch:
    """Validation examples of which one class is absent and another rare, in two groups of uneven size."""
    labels = torch.tensor([0, 0, 1, 3, 0, 0, 3, 3, 0, 1, 0, 0, 3, 3, 0])
    return Batch(case.validation.inputs, labels, groups=(torch.arange(15) % 5 == 0).long())


def dense_gradient(case: Case, dense: Dense, batch: Batch) -> dict[str, Tensor]:
    parameters, buffers = case.split(case.state)

    def value(values: dict[str, Tensor]) -> Tensor:
        return dense(lambda x: functional_call(case.model, {**values, **buffers}, (x,)), batch)

    return grad(value)(parameters)
