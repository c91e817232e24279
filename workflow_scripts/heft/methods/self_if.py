"""self_if: examples whose own loss would rise most without them are lowest: what the model had to memorise (EK-FAC)."""

from typing import Annotated

import torch
from annotated_types import Gt
from torch import Tensor

from heft.kernels.curvature.kronecker import counted_as_zero, fisher_curvature
from heft.kernels.layers.capture import batches_of, output_gradient_batches
from heft.kernels.layers.rows import rows_of
from heft.kernels.losses import cross_entropy
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="influence",
    title="Self IF",
    formula="s_i = -grad l_i^T (K + lambda I)^-1 grad l_i,  K the EK-FAC curvature",
    paper="Koh and Liang 2017, arXiv 1703.04730, section 5.4 (opposite sign); EK-FAC: arXiv 2308.03296",
    predicts="Minus the rise of the example's own loss without it, up to a factor; not the effect on validation.",
    needs=("final",),
    ensemble=True,
    assumes="What if_ekfac assumes. It needs no validation split.",
    cost="About 25, and the eigenvectors of two matrices a layer.",
    memory="For each layer two square matrices and one of its own shape; one batch of activations.",
    fails="Rare but right examples look like wrong ones; parameters outside Linear and Conv2d layers count as 0.",
)
def self_if(context: Context, *, damping: Annotated[float, Gt(0)] = 0.1, parameters: str = "all") -> Tensor:
    """Minus the self-influences [n_train], at most 0.

    damping is a fraction of each layer's mean eigenvalue. parameters: `all`, `last` (layer), or a pattern of
    layer names. Raises HeftError where no layer has known factors.
    """
    model, state, (inputs, labels) = context.network, context.final, context.train
    names, generator = context.parameter_names(parameters), context.generator("fisher")
    factors, others = fisher_curvature(model, state, inputs, names, generator, corrected=True)
    if others:
        context.warn(counted_as_zero(others))
    layers = {name: curvature.layer for name, curvature in factors.items()}
    batches = batches_of(model, state, inputs, labels)
    scores = []
    for batch in output_gradient_batches(model, state, layers, batches, cross_entropy):
        parts = [
            factors[name].quadratic(rows_of(layers[name], captured, delta), damping)
            for name, (captured, delta) in batch.items()
        ]
        scores.append(torch.stack(parts).sum(dim=0))
    return -torch.cat(scores)
