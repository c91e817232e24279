"""if_lissa: influence of removing a training example, by a Neumann series over minibatches (LiSSA)."""

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from annotated_types import Gt, Le, Lt
from torch import Tensor

from heft.kernels.curvature.curvature_operator import CurvatureOperator, flatten, unflatten
from heft.kernels.curvature.solve import Operator, leading_eigenpair, neumann_series
from heft.kernels.directional import summed_derivatives
from heft.methods.context import Context
from heft.methods.declare import method

STEPS_FROM_EIGENVECTOR = 3  # products with the steepest batch alone


# longer: what the method declares takes half of it
@method(
    family="influence",
    title="Influence (LiSSA)",
    formula="s_i = <d, grad l_i>;  r <- v + r - (G_B + lambda I) r / c over batches B,  d = r / c,  v = grad f",
    paper="Agarwal et al. 2017, arXiv 1602.03943, section 4; Koh and Liang 2017, arXiv 1703.04730, section 3",
    predicts="n times the change of f when example i is left out and the model is refitted near theta; damping "
    "shrinks it by a factor.",
    needs=("final", "validation"),
    ensemble=True,
    counterfactual=True,
    assumes="What if_cg assumes; and batches whose curvature is near that of the whole training set.",
    derived_for_sgd="weight_decay is the curvature of a penalty in the loss",
    cost="About 12 for the scale, 8 a turn over the batches (the steps and one residual), 1 to 15 turns, and one "
    "forward-mode pass.",
    memory="One batch of activations, and six vectors as long as the parameters.",
    fails="With a scale below half the largest eigenvalue it diverges, with a large one it is slow; small "
    "batches leave noise that no number of turns removes: it warns with the residual.",
)
def if_lissa(
    context: Context,
    *,
    damping: Annotated[float, Gt(0)] = 0.1,
    scale: Annotated[float, Gt(0)] = 1.1,
    batch_size: Annotated[int, Gt(0), Le(1_000_000)] = 512,
    depth: Annotated[int, Gt(0), Le(1_000_000)] = 1000,
    tolerance: Annotated[float, Gt(0), Lt(1)] = 0.05,
    curvature: Literal["gauss_newton", "hessian"] = "gauss_newton",
    parameters: str = "all",
) -> Tensor:
    """Influences [n_train]; lambda = wd + damping * lambda_max, wd the weight decay of training.

    damping is a fraction of the largest eigenvalue of G. scale: c as a multiple of the largest eigenvalue
    that a batch has (that of the batch steepest along G's leading eigenvector), lambda included; 1.1 leaves a margin,
    below 0.5 the series diverges. batch_size: examples a step; the number of training examples or more makes it a
    series without noise. depth: most steps. tolerance: the relative residual, over the whole training set,
    where it stops. parameters: `all`, `last` (layer), or a pattern of layer names.
    Raises HeftError if the series diverges.
    """
    v = context.objective_gradient(context.final, parameters)
    b, whole = flatten(v), CurvatureOperator(curvature, context.network, context.final, *context.train, like=v)
    if not b.any():  # no example has an influence on what does not move
        return summed_derivatives(context.network, [(context.final, v)], *context.train)
    order = torch.randperm(len(context.train.labels), generator=context.generator("if_lissa")).to(b.device)
    rows_by_batch = order.tensor_split(max(1, round(len(order) / batch_size)))
    batches = [whole.of_examples(rows) for rows in rows_by_batch]
    by_batch = _MeanOfBatches(batches, [len(rows) / len(order) for rows in rows_by_batch])
    start, steps = whole.start_and_steps(b)
    leading = leading_eigenpair(by_batch, start, steps=steps)
    shift = context.weight_decay + damping * leading.value
    largest = leading.value
    if len(batches) > 1:  # the batch that is steepest along the whole's eigenvector stands for all
        largest = max(largest, leading_eigenpair(by_batch.steepest, leading.vector, steps=STEPS_FROM_EIGENVECTOR).value)
    series = neumann_series(
        [lambda vector, batch=batch: batch(vector) + shift * vector for batch in batches],  # type: ignore[misc]
        lambda vector: whole(vector) + shift * vector,
        b,
        scale=scale * (largest + shift),
        tolerance=tolerance,
        most_steps=depth,
    )
    if series.residual > tolerance:
        context.warn(
            f"the series stopped after {series.steps} steps with a relative residual of {series.residual:.2g}, above "
            f"the tolerance {tolerance:g}; raise batch_size, depth or damping"
        )
    return summed_derivatives(context.network, [(context.final, unflatten(series.solution, v))], *context.train)


class _MeanOfBatches:
    """vector -> A vector, as the mean of the batches' products; knows the batch whose product was longest at last."""

    def __init__(self, batches: Sequence[Operator], shares: Sequence[float]) -> None:
        self._batches, self._shares = batches, shares
        self.steepest = batches[0]

    def __call__(self, vector: Tensor) -> Tensor:
        mean, longest = torch.zeros_like(vector), -1.0
        for batch, share in zip(self._batches, self._shares, strict=True):
            product = batch(vector)
            mean += share * product
            if (length := float(product.norm())) > longest:
                longest, self.steepest = length, batch
        return mean
