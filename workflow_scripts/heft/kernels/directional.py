"""Directional derivatives of all per-example losses, in forward mode: no per-example gradient is ever held.

<d, grad l_i(theta)> = d/dt l_i(theta + t d) at t = 0 = <dl_i/dlogits, J_i d>,   J_i = dlogits_i / dtheta

One pass carries each activation together with its tangent along d. A layer costs at most three matrix products
(value, tangent of the weights, tangent of the input), as many as forward and backward; the first has no input tangent.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import jvp, vmap

from heft.errors import HeftError
from heft.kernels.calling import call
from heft.kernels.functional import Direction, LayerTrace, Loss, State, batch_size_for, evaluation, values_of
from heft.kernels.layers.contraction import contracted_derivatives, contractible_layers
from heft.kernels.losses import cross_entropy
from heft.kernels.once import once_a_model
from heft.kernels.selection import moved_parameters
from heft.kernels.tangents import logits_jvp
from heft.kernels.ways import Trial, Way, double_backward, one_by_one, way_of


# longer: half of it says what it is given
def directional_derivatives(
    model: nn.Module,
    state: State,
    directions: Sequence[Direction] | Direction,
    inputs: Tensor,
    labels: Tensor,
    *,
    loss: Loss = cross_entropy,
    batch_size: int | None = None,
) -> Tensor:
    """<d_k, grad l_i(state)> for each direction and example: [k, n].

    All directions hold the same parameters; those that they leave out stand still, and so do those that training does
    not move. Many long ones are best given as one mapping of tensors [k, ...], which is not copied.
    One direction is carried along in forward mode, which needs least memory. Several are contracted layer by layer
    where the model allows it (`contraction`), so that they share a backward pass too; else the forward pass alone.
    Where forward mode does not have the gradients of training (`ways`), reverse mode takes its place.
    batch_size: by default `batch_size_for` the model's shapes.
    """
    values = values_of(model, state)
    if isinstance(directions, Sequence):
        directions = _stacked(directions)
    k, moved = len(next(iter(directions.values()))), set(moved_parameters(model, values, inputs))
    directions = {name: stacked for name, stacked in directions.items() if name in moved}
    if not directions:
        return torch.zeros(k, len(inputs), dtype=torch.get_default_dtype(), device=inputs.device)
    layers = contractible_layers(model, values, inputs[:2]) if k > 1 else None
    size = batch_size or batch_size_for(model, state, inputs, tangents=1 if layers else k)
    if layers:
        batches = zip(inputs.split(size), labels.split(size), strict=True)
        return torch.cat([*contracted_derivatives(model, state, layers, directions, batches, loss)], dim=1)
    way = way_of(model, values, inputs)
    if way is Way.ONE_BY_ONE:
        return one_by_one(model, values, directions, inputs, labels, loss)
    scores = []
    run = _run_of(model, values, way, inputs, k)
    with torch.enable_grad(), evaluation(model):
        for batch, label in zip(inputs.split(size), labels.split(size), strict=True):
            logits, tangent = run(model, values, directions, batch)
            scores.append(torch.einsum("knc,nc->kn", tangent.detach(), _loss_gradient(loss, logits, label)))
    return torch.cat(scores, dim=1)


LogitsJvp = Callable[[nn.Module, State, Direction, Tensor], tuple[Tensor, Tensor]]


def _run_of(model: nn.Module, values: State, way: Way, inputs: Tensor, k: int) -> LogitsJvp:
    """What makes logits [b, n_classes] and tangents [k, b, n_classes] of directions [k, ...]."""
    if way is Way.DOUBLE_BACKWARD:
        return partial(_jvp_each, double_backward)
    if k > 1 and once_a_model(model, "many", lambda: Trial(model, values, inputs[:2]).agrees(_jvp_two)):
        return _jvp_many
    return partial(_jvp_each, logits_jvp)


def _jvp_each(
    take: LogitsJvp, model: nn.Module, values: State, directions: Direction, batch: Tensor
) -> tuple[Tensor, Tensor]:
    """Logits [b, n_classes] and tangents [k, b, n_classes], by `take` along one direction after the other."""
    tangents = []
    for k in range(len(next(iter(directions.values())))):
        logits, tangent = take(model, values, {name: stacked[k] for name, stacked in directions.items()}, batch)
        tangents.append(tangent)
    return logits, torch.stack(tangents)


def _stacked(directions: Sequence[Direction]) -> dict[str, Tensor]:
    """Tensors [k, ...]; of one direction views."""
    if len(directions) == 1:
        return {name: tensor[None] for name, tensor in directions[0].items()}
    return {name: torch.stack([direction[name] for direction in directions]) for name in directions[0]}


def summed_derivatives(
    model: nn.Module, points: Iterable[tuple[State, Direction]], inputs: Tensor, labels: Tensor
) -> Tensor:
    """sum_t <d_t, grad l_i(theta_t)> over the points (theta_t, d_t): [n]."""
    terms = [directional_derivatives(model, state, [direction], inputs, labels)[0] for state, direction in points]
    return torch.stack(terms).sum(dim=0)


def _jvp_many(model: nn.Module, values: State, directions: Direction, batch: Tensor) -> tuple[Tensor, Tensor]:
    """Logits [b, n_classes] and their tangents J d_k [k, b, n_classes]."""
    # vmap over the tangents only: what does not depend on the direction is computed once.
    moving = {name: values[name] for name in directions}

    def forward(parameters: State) -> Tensor:
        return call(model, {**values, **parameters}, batch)

    def along(direction: Direction) -> Any:
        return jvp(forward, (moving,), (direction,))

    with torch.no_grad():
        return vmap(along, out_dims=(None, 0))(dict(directions))  # type: ignore[arg-type]


def _jvp_two(model: nn.Module, values: State, direction: Direction, batch: Tensor) -> tuple[Tensor, Tensor]:
    """Logits with a graph, and J d as the second of two directions."""
    both = {name: torch.stack([torch.ones_like(tensor), tensor]) for name, tensor in direction.items()}
    return call(model, values, batch), _jvp_many(model, values, both, batch)[1][1]


def _loss_gradient(loss: Loss, logits: Tensor, labels: Tensor) -> Tensor:
    """dl_i/dlogits_i [b, n_classes]; each loss depends on its own logits alone, so the gradient of the sum is it."""
    with torch.enable_grad():
        leaf = logits.detach().requires_grad_()
        return torch.autograd.grad(loss(leaf, labels).sum(), leaf)[0]


def layer_error(model: nn.Module, run: Callable[[], Any], error: Exception) -> Exception:
    """Runs again with the layers recorded; the error that names the innermost one."""
    trace = LayerTrace(model)
    with trace.record():
        try:
            run()
        except (RuntimeError, NotImplementedError):
            layer = trace.running[-1] if trace.running else "the model"
            reason = str(error).strip().splitlines()[0]
            return HeftError(f"Layer {layer} cannot be run in forward mode, which gradient methods need: {reason}")
    return error
