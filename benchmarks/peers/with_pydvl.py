"""pydvl: the validation split goes in as one item, so that one system is solved, for the gradient of its mean loss.

Matrices are those of the Hessian; batches of which some are shorter would be averaged as if all were equally long.
"""

from collections.abc import Callable

import torch
from problem import Problem, main
from pydvl.influence.torch import (
    ArnoldiInfluence,
    CgInfluence,
    EkfacInfluence,
    InverseHarmonicMeanInfluence,
    LissaInfluence,
)
from torch import Tensor, nn
from torch.nn import functional

REQUIREMENT = "pydvl==0.10.0 distributed zarr"  # which it imports and does not ask for
EXAMPLES_AT_ONCE, BATCH_SIZE = 64, 250


class Items(nn.Module):
    """The model, for which [b, m, C, H, W] is b items of m images."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, inputs: Tensor) -> Tensor:
        """Logits of all images."""
        return self.model(inputs.flatten(0, 1) if inputs.dim() == 5 else inputs)


def loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean loss of all images."""
    return functional.cross_entropy(logits, labels.flatten())


def influence(make: Callable[[nn.Module], object], problem: Problem) -> Tensor:
    """Influences of all training examples on the item."""
    fitted = make(Items(problem.model)).fit(problem.loader(BATCH_SIZE))
    inputs, labels = problem.validation
    factors = fitted.influence_factors(inputs[None], labels[None])
    parts = []
    for x, y in problem.loader(EXAMPLES_AT_ONCE):
        parts.append(fitted.influences_from_factors(factors, x, y).flatten())
    return torch.cat(parts)


def ekfac(problem: Problem) -> Tensor:
    """EK-FAC knows single images alone: the mean over validation images of its factors."""
    model = EkfacInfluence(problem.model, update_diagonal=True, hessian_regularization=problem.damping)
    fitted = model.fit(problem.loader(BATCH_SIZE))
    factors = [
        fitted.influence_factors(x, y).sum(dim=0, keepdim=True) for x, y in problem.validation_loader(EXAMPLES_AT_ONCE)
    ]
    total = torch.stack(factors).sum(dim=0)
    parts = [fitted.influences_from_factors(total, x, y).flatten() for x, y in problem.loader(EXAMPLES_AT_ONCE)]
    return torch.cat(parts)


METHODS = {
    "if_cg": lambda problem: influence(
        lambda model: CgInfluence(model, loss, regularization=problem.damping, rtol=0.01), problem
    ),
    "if_lissa": lambda problem: influence(
        lambda model: LissaInfluence(model, loss, regularization=problem.damping, maxiter=100, rtol=0.01, scale=50.0),
        problem,
    ),
    "if_arnoldi": lambda problem: influence(
        lambda model: ArnoldiInfluence(model, loss, regularization=problem.damping, rank=10, max_iter=25), problem
    ),
    "datainf": lambda problem: influence(
        lambda model: InverseHarmonicMeanInfluence(model, loss, regularization=problem.datainf_damping), problem
    ),
    "if_ekfac": ekfac,
}

if __name__ == "__main__":
    main(METHODS)
