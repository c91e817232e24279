"""random_projection: the inner product with the validation gradient, estimated in a random subspace."""

from typing import Annotated

import torch
from annotated_types import Gt, Le
from torch import Tensor

from heft.kernels.curvature.curvature_operator import flatten
from heft.kernels.directional import summed_derivatives
from heft.kernels.functional import Direction
from heft.kernels.layers.norms import squared_gradient_norms
from heft.kernels.projection.random_rows import BLOCK, RandomRows, products
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="gradients",
    title="IP, projected",
    formula="s_i = <P grad f, P grad l_i>,  P [dimension, D] with entries N(0, 1/dimension)",
    paper="Johnson and Lindenstrauss 1984; of gradients: Pruthi et al. 2020, arXiv 2002.08484, section 3.4",
    predicts="What ip predicts, with noise: unbiased over draws of P.",
    needs=("final", "validation"),
    ensemble=True,
    assumes="What ip assumes. It shows what a projection alone costs in quality.",
    cost="About 5, and dimension times D random numbers.",
    memory="16 vectors as long as the parameters.",
    fails="With a small dimension: the noise, |grad f| |grad l_i| / sqrt(dimension), is larger than the scores "
    "differ; it warns.",
)
def random_projection(
    context: Context, *, dimension: Annotated[int, Gt(0), Le(1_048_576)] = 512, parameters: str = "all"
) -> Tensor:
    """Estimates [n_train] of `ip`, with variance (|v|^2 |g_i|^2 + (v.g_i)^2) / dimension over draws of P, v = grad f.

    dimension: rows of P, the same for all examples; drawn anew for each seed. parameters: `all`, `last`
    (layer), or a pattern of layer names.
    """
    v = context.objective_gradient(context.final, parameters)
    rows = RandomRows(v, dimension, lambda block: context.generator(f"random_projection/{block}"))
    scores = summed_derivatives(context.network, [(context.final, _there_and_back(v, rows))], *context.train)
    lengths = squared_gradient_norms(context.network, context.final, *context.train, names=tuple(v))
    noise = float((flatten(v).square().sum() * lengths.mean() / dimension).sqrt())
    if noise > 0.5 * float(scores.std()):
        context.warn(
            f"the projection's noise ({noise:.2g}) is more than half the spread of the scores "
            f"({float(scores.std()):.2g}); raise dimension, now {dimension}"
        )
    return scores


def _there_and_back(v: Direction, rows: RandomRows) -> Direction:
    """P'P v by parameter, for rows drawn with entries N(0, 1) and divided by sqrt(dimension)."""
    total = {name: torch.zeros_like(tensor) for name, tensor in v.items()}
    room = {name: tensor.new_empty(BLOCK, *tensor.shape) for name, tensor in v.items()}
    for block in rows.blocks():
        drawn = {name: rows.draw(name, block, out) for name, out in room.items()}
        projected = products(drawn, v)
        for name, sum_so_far in total.items():
            sum_so_far += torch.tensordot(projected.to(sum_so_far.dtype), drawn[name], dims=1) / rows.dimension
    return total
