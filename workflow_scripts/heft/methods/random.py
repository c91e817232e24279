"""random: uniform scores, drawn afresh for each seed; the baseline that every method has to beat."""

import torch
from torch import Tensor

from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="references",
    title="Random",
    formula="s_i ~ U(0, 1)",
    paper="none: the mandatory baseline",
    predicts="Nothing. Removing by it shows what the loss of training data alone does.",
    needs=(),
    ensemble=False,
    assumes="Nothing.",
    cost="0.",
    memory="One number for each example.",
    fails="Never; a method that is not above it has found nothing.",
)
def random(context: Context) -> Tensor:
    """Scores [n_train] in [0, 1), from the seed alone."""
    return torch.rand(len(context.train.labels), generator=context.generator("random"), dtype=torch.float64)
