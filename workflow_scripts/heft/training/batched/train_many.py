"""Trains many models at once: each parameter is a stack with one entry a model.

Six MLPs of 784-128-64-10, batches of 64, cost 0.6 to 0.75 times six one by one, on one thread
(benchmarks/batched_training.py).
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from heft.data.examples import Examples
from heft.devices import CPU
from heft.training.augment import Augmenter
from heft.training.batched.batchable import reason_to_train_in_turn
from heft.training.batched.in_turn import train_in_turn
from heft.training.batched.stack import ModelStack, stack_states, unstack_state
from heft.training.dynamics import rows_at_once
from heft.training.loader import batches
from heft.training.loop import AfterEpoch, first_kept, trained_parameters, weighted_loss
from heft.training.mode import in_mode
from heft.training.optimisers.declare import optimiser_of
from heft.training.schedule import learning_rate_at, learning_rate_of
from heft.training.settings import TrainingSettings

__all__ = ["ModelStack", "stack_states", "train_many", "train_stacked", "unstack_state"]

# Not tried together at all, since one by one is the faster way: convolutions of different models at once cost 1.2 times
# as much on a CPU, and batch normalisation and dropout would fail the trial.
ONE_BY_ONE = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd, nn.modules.conv._ConvNd)

# Of entries up to this size it is taken that their activations stay finite.
TAME = 1e4


def train_many(
    model: nn.Module,
    initial: dict[str, Tensor],
    train: Examples,
    settings: TrainingSettings,
    *,
    order_seeds: Sequence[int],
    weights: Tensor | None = None,
    labels: Tensor | None = None,
    after_epoch: AfterEpoch | None = None,
    told: Callable[[str], None] | None = None,
) -> dict[str, Tensor]:
    """Final states [M, ...] of M models of the architecture of `model`, each as `train_one` trains it.

    initial: states [M, ...], see `stack_states`. order_seeds: M of them. weights [M, n]: 1 where absent.
    labels [M, n]: those of `train` where absent. after_epoch: see `train_one`, with stacked states.
    Networks with batch normalisation, dropout or convolutions, a single model, and what a trial on some examples shows
    to be no batch of models are trained one by one; `told` gets the reason that the trial gave.
    """
    n_models = len(order_seeds)
    trained_parameters(model)  # raises before any training
    if weights is None:
        weights = torch.ones(n_models, len(train), dtype=train.inputs.dtype, device=CPU)
    in_turn = n_models == 1 or any(isinstance(module, ONE_BY_ONE) for module in model.modules())
    if not in_turn:
        shared = _one_gather(train, order_seeds, weights)
        reason = reason_to_train_in_turn(model, initial, train, weights, shared)
        if reason and told:
            told(reason)
        in_turn = reason is not None
    way = train_in_turn if in_turn else train_stacked
    return way(model, initial, train, settings, order_seeds, weights, labels, after_epoch)


def train_stacked(
    model: nn.Module,
    initial: dict[str, Tensor],
    train: Examples,
    settings: TrainingSettings,
    order_seeds: Sequence[int],
    weights: Tensor,
    labels: Tensor | None,
    after_epoch: AfterEpoch | None,
) -> dict[str, Tensor]:
    """`train_many` by one forward and backward pass for all models: a step on the stack is one on each entry."""
    n, device = len(train), train.device
    weights, labels = weights.to(device), None if labels is None else labels.to(device)
    stack = ModelStack(model, initial)
    optimiser = optimiser_of(settings, list(stack.trained.values()))
    one_order, shared = len(set(order_seeds)) == 1, _one_gather(train, order_seeds, weights)
    drawn_by = order_seeds[:1] if one_order else order_seeds
    generators = [torch.Generator().manual_seed(seed) for seed in drawn_by]
    augmenters = [Augmenter(settings, train.inputs, train.modality, seed) for seed in drawn_by]
    members, stand_in = torch.arange(len(order_seeds), device=device)[:, None], first_kept(weights)[:, None]
    step = 0
    if after_epoch:
        after_epoch(0, stack.states(), step, learning_rate_of(0, settings, n))
    with in_mode(model, training=True), torch.enable_grad():
        for epoch in range(1, settings.epochs + 1):
            for batch_of_each in zip(*(batches(n, settings.batch_size, g) for g in generators), strict=True):
                # With one order for all, the batch is gathered once: [batch], else [M, batch].
                batch = (batch_of_each[0] if one_order else torch.stack(batch_of_each)).to(device)
                batch_weights = weights[members, batch]
                # A removed example gives its place to one that is kept: an infinite activation of it would be in the
                # sums of the gradient as 0 * inf.
                computed = batch if shared else torch.where(batch_weights > 0, batch, stand_in)
                logits = stack.logits(_inputs(augmenters, computed, epoch), shared)
                batch_labels = train.labels[batch] if labels is None else labels[members, batch]
                loss = weighted_loss(logits, batch_labels, batch_weights, settings.label_smoothing).sum()
                optimiser.step(loss, learning_rate_at(step, settings, n))
                step += 1
            if after_epoch:
                after_epoch(epoch, stack.states(), step, learning_rate_of(epoch, settings, n))
    return stack.states()


def _inputs(augmenters: Sequence[Augmenter], computed: Tensor, epoch: int) -> Tensor:
    """The inputs of rows [batch] or [M, batch], of which each model has an augmenter of its own, or all have one."""
    if len(augmenters) == 1:
        drawn = augmenters[0].inputs(computed.flatten(), epoch)
        return drawn.view(*computed.shape, *drawn.shape[1:])
    return torch.stack([augmenter.inputs(rows, epoch) for augmenter, rows in zip(augmenters, computed, strict=True)])


def _one_gather(train: Examples, order_seeds: Sequence[int], weights: Tensor) -> bool:
    """Whether all models may be given the same batch of inputs: one order, and what any of them removes is tame."""
    if len(set(order_seeds)) > 1:
        return False
    return _tame(train.inputs) or _tame(train.inputs[(weights <= 0).any(0).to(train.device)])


def _tame(inputs: Tensor) -> bool:
    return all(_is_within(piece) for piece in inputs.split(rows_at_once(inputs))) if inputs.numel() else True


def _is_within(inputs: Tensor) -> bool:
    least, largest = torch.aminmax(inputs)  # NaN where there is one, which is in no range
    return bool((least >= -TAME) & (largest <= TAME))
