"""trak: kernel regression on randomly projected gradients of the margin, averaged over models on halves of the data."""

import math
from typing import Annotated

import torch
from annotated_types import Ge, Le
from torch import Tensor

from heft.devices import in_float64
from heft.errors import HeftError
from heft.kernels.functional import State, logits_of
from heft.kernels.projection.gradients import projected_gradients
from heft.kernels.projection.random_rows import RandomRows
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="influence",
    title="TRAK",
    formula="s_i = -mean_m(1 - p_im) * mean_m[ phi_m(f)^T (Phi_m^T Phi_m + lambda I)^-1 phi_m(i) ],  "
    "phi_m(i) = P_m grad z_i / sqrt(D)",
    paper="Park et al. 2023, arXiv 2303.14186, equation 12; z_i = log(p_i / (1 - p_i)), for an objective f grad "
    "f for z",
    predicts="The change of f when example i is left out of a kernel machine that stands for the model; up to a "
    "factor.",
    needs=("subsets", "validation"),
    ensemble=True,
    assumes="That the model is near its linearisation at each theta_m, and the loss near a function of the "
    "margin alone.",
    cost="For each model about `dimension` (convolutions: far fewer), and dimension times D random numbers, drawn "
    "once or, where that costs less, anew for every few dozen examples; the training of the models.",
    memory="dimension numbers for each example, in float64; 32 vectors as long as the parameters (more short ones), or "
    "as much in gradients and activations.",
    fails="With one model it is noise of the training; with a dimension near the number of examples and no damping the "
    "kernel is singular, which it warns of.",
)
def trak(
    context: Context,
    *,
    models: Annotated[int, Ge(1), Le(1000)] = 5,
    dimension: Annotated[int, Ge(0), Le(1_048_576)] = 0,
    damping: Annotated[float, Ge(0)] = 0.01,
    parameters: str = "all",
) -> Tensor:
    """Scores [n_train] from `models` models, each trained on its own random half of the training split.

    models: published results use 10 to 100. dimension: of the projection, entries N(0, 1), drawn for each
    model; 0 takes the power of two below a quarter of the training examples, at most 4,096. damping:
    lambda as a fraction of the mean of Phi^T Phi's diagonal. parameters: `all`, `last` (layer), or a pattern of layer
    names. Raises HeftError if the kernel is singular.
    """
    n = len(context.train.labels)
    dimension = dimension or min(4096, 2 ** int(math.log2(max(1, n // 4))))
    if 2 * dimension > n:
        context.warn(f"dimension {dimension} is more than half the {n} training examples; lower it")
    doubts, products = [], []
    for number, (state, _) in enumerate(context.auxiliary_models("subsets")):
        phi, of_objective = _projected(context, state, dimension, f"trak/{number}", parameters)
        kernel = phi.T @ phi
        kernel += damping * kernel.diagonal().mean() * torch.eye(dimension, dtype=kernel.dtype, device=kernel.device)
        factor, failed = torch.linalg.cholesky_ex(kernel)
        if failed:
            raise HeftError(f"The kernel of model {number} is singular; lower dimension or raise damping.")
        products.append(phi @ torch.cholesky_solve(of_objective[:, None], factor)[:, 0])
        probabilities = in_float64(logits_of(context.network, state, context.train.inputs)).softmax(dim=1)
        doubts.append(1 - probabilities.gather(1, context.train.labels[:, None].to(probabilities.device))[:, 0])
    return -torch.stack(doubts).mean(dim=0) * torch.stack(products).mean(dim=0)


def _projected(context: Context, state: State, dimension: int, name: str, parameters: str) -> tuple[Tensor, Tensor]:
    """P grad z_i / sqrt(D) of all examples [n, dimension], and P grad f / sqrt(D) [dimension], in float64."""
    v = context.objective_gradient(state, parameters)
    rows = RandomRows(v, dimension, lambda block: context.generator(f"{name}/{block}"))
    both = projected_gradients(context.network, state, *context.train, rows, log_odds)
    phi, of_objective = (in_float64(projected).div_(math.sqrt(rows.n_columns)) for projected in both)
    return phi, of_objective


def log_odds(logits: Tensor, labels: Tensor) -> Tensor:
    """log(p / (1 - p)) of the label [b], as logit minus logsumexp of the others, which stays finite."""
    others = logits.scatter(1, labels[:, None], -torch.inf)
    return logits.gather(1, labels[:, None])[:, 0] - others.logsumexp(dim=1)
