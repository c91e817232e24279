"""gex: how each training loss moves together with the objective over short fine-tunings (geometric ensemble)."""

from typing import Annotated, Literal

import torch
from annotated_types import Ge, Gt, Le
from torch import Tensor
from torch.nn import functional

from heft.errors import HeftError
from heft.kernels.curvature.curvature_operator import CurvatureOperator, flatten
from heft.kernels.functional import logits_of
from heft.kernels.sgd import sgd_trajectory
from heft.methods.context import Context
from heft.methods.declare import method


# longer: what the method declares takes half of it
@method(
    family="influence",
    title="GEX",
    formula="s_i = mean_m (f_m - mean f)(l_im - mean l_i) / spread,  over models m fine-tuned by SGD from theta",
    paper="Kim, Kim and Yang 2023, arXiv 2312.02554, section 4 (there the self-influence, opposite sign)",
    predicts="How far example i and f follow the same flat directions: influence up to a factor; not a size.",
    needs=("final", "validation"),
    ensemble=True,
    assumes="That SGD near theta spreads over the flat directions of the loss, like a posterior.",
    cost="For each model 2.5 times its epochs for the steps, and 1 for the losses.",
    memory="Two states of the model and one batch; a number for each example and model.",
    fails="With few models the score is noise; with long trajectories all models drift the same way. It warns where "
    "the drift of f is larger than its spread.",
)
def gex(
    context: Context,
    *,
    models: Annotated[int, Ge(2), Le(1000)] = 16,
    epochs: Annotated[float, Gt(0)] = 1.0,
    step_size: Annotated[float, Gt(0)] = 0.5,
    batch_size: Annotated[int, Ge(1), Le(1_000_000)] = 32,
    target: Literal["validation", "self"] = "validation",
) -> Tensor:
    """Scores [n_train] from `models` trajectories, centred over them, so that a common drift does not count.

    epochs: length of a trajectory over the training set, with replacement. step_size: in units of 1 / (largest
    eigenvalue of the Gauss-Newton matrix), so that the trajectory is stable whatever the model. batch_size: examples a
    step. target: validation; or self, the paper's self-influence: minus the mean squared move of each example's own
    loss.
    """
    model, start, (inputs, labels) = context.network, context.final, context.train
    v = context.objective_gradient(start)
    product = CurvatureOperator("gauss_newton", model, start, inputs, labels, like=v)
    largest = product.leading_eigenpair(flatten(v)).value
    if not largest > 0:
        raise HeftError(
            "The Gauss-Newton matrix is zero, since the gradients of all training examples are: no trajectory moves."
        )
    learning_rate = step_size / largest
    steps = max(1, round(epochs * len(inputs) / batch_size))

    def losses(state: dict[str, Tensor]) -> Tensor:
        return functional.cross_entropy(logits_of(model, state, inputs), labels, reduction="none")

    at_start, f_at_start = losses(dict(start)), context.objective_value(start)
    moves, f_moves = [], []
    for number in range(models):
        rows = torch.randint(len(inputs), (steps, batch_size), generator=context.generator(f"gex/{number}"))
        state = sgd_trajectory(model, start, inputs, labels, rows.to(inputs.device), learning_rate)
        moves.append(losses(state) - at_start)
        f_moves.append(context.objective_value(state) - f_at_start)
    moved, f_moved = torch.stack(moves), torch.stack(f_moves)  # [models, n], [models]
    if target == "self":
        return -moved.square().mean(dim=0)
    if f_moved.mean().abs() > 3 * f_moved.std():
        context.warn(
            f"the trajectories move f by {float(f_moved.mean()):.2g} on average and spread it by only "
            f"{float(f_moved.std()):.2g}; lower step_size or epochs"
        )
    centred = f_moved - f_moved.mean()
    return (centred[:, None] * (moved - moved.mean(dim=0))).mean(dim=0) / centred.square().mean().sqrt()
