"""Trains one model on weighted examples, the same weights bit for bit for the same seed."""

from collections.abc import Callable
from itertools import islice

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from heft.data.examples import Examples
from heft.devices import CPU
from heft.errors import HeftError
from heft.training.loader import batches_of
from heft.training.mode import in_mode, seeded
from heft.training.optimisers.declare import optimiser_of
from heft.training.schedule import learning_rate_at, learning_rate_of
from heft.training.settings import TrainingSettings

AfterEpoch = Callable[[int, dict[str, Tensor], int, float], None]


def train_one(
    model: nn.Module,
    train: Examples,
    settings: TrainingSettings,
    *,
    order_seed: int,
    weights: Tensor | None = None,
    after_epoch: AfterEpoch | None = None,
) -> dict[str, Tensor]:
    """Trains `model` in place and returns its final state, parameters and buffers.

    order_seed decides the batch order, what augmentation draws, and dropout masks where the model has any. weights [n]:
    an example of weight 0 keeps its slot in the order, but is not computed, nor is it in the statistics of a batch
    normalisation; its batch is averaged over the weight that remains. With batch normalisation that is not frozen a
    batch of fewer than two, which has no statistics, is passed over.
    after_epoch(epoch, state, step, learning_rate) is called for epoch 0, the initial state, and after each epoch, with
    the number of steps done and the mean learning rate of the epoch.
    """
    n = len(train)
    weights = torch.ones(n, dtype=train.inputs.dtype, device=CPU) if weights is None else weights.cpu()
    on_device = weights.to(train.device)  # what is drawn and kept is known on the CPU, which then waits for nothing
    optimiser = optimiser_of(settings, trained_parameters(model))
    step = 0
    if after_epoch:
        after_epoch(0, state_of(model), step, learning_rate_of(0, settings, n))
    fetched = batches_of(train, settings, order_seed, weights)
    # Dropout draws from the global generator.
    with fetched as made, seeded(order_seed), in_mode(model, training=True), torch.enable_grad():
        normalised = any(isinstance(m, nn.modules.batchnorm._BatchNorm) and m.training for m in model.modules())
        for epoch in range(1, settings.epochs + 1):
            for kept, inputs in islice(made, -(-n // settings.batch_size)):
                if not normalised or len(kept) > 1:
                    loss = _loss_of_batch(model, train, inputs, kept, on_device, settings)
                    optimiser.step(loss, learning_rate_at(step, settings, n))
                step += 1
            if after_epoch:
                after_epoch(epoch, state_of(model), step, learning_rate_of(epoch, settings, n))
    return state_of(model)


def weighted_loss(logits: Tensor, labels: Tensor, weights: Tensor, label_smoothing: float = 0.0) -> Tensor:
    """sum_i w_i cross_entropy_i / sum_i w_i over the batch, for each leading entry; 0 where no weight is left.

    logits [..., batch, classes], labels [..., batch] or [batch], weights [..., batch].
    """
    kept = weights > 0
    # The logits of weight 0 are replaced before the loss: 0 * inf would be nan, in the loss and in its gradient.
    safe_logits = torch.where(kept[..., None], logits, 0.0)
    targets = labels.expand(kept.shape).flatten()
    losses = cross_entropy(safe_logits.flatten(0, -2), targets, reduction="none", label_smoothing=label_smoothing)
    remaining = weights.sum(-1)
    total = torch.where(kept, weights * losses.view(kept.shape), 0.0).sum(-1)
    return total / torch.where(remaining > 0, remaining, 1.0)


def first_kept(weights: Tensor) -> Tensor:
    """The first example of positive weight, int64 [...]; 0 where there is none. weights: [..., n]."""
    return (weights > 0).to(torch.uint8).argmax(-1)


def trained_parameters(model: nn.Module) -> list[Tensor]:
    """The parameters that training may move; raises HeftError where entries of one share a place in memory."""
    trained = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    for name, parameter in trained:
        if torch._debug_has_internal_overlap(parameter) == 1:
            raise HeftError(
                f"parameter {name} cannot be trained: several of its entries share one place in memory, as `expand` "
                "makes them; clone the tensor before it becomes a parameter."
            )
    return [parameter for _, parameter in trained]


def state_of(model: nn.Module) -> dict[str, Tensor]:
    """A copy of the model's parameters and buffers."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def _loss_of_batch(
    model: nn.Module, train: Examples, inputs: Tensor, kept: Tensor, weights: Tensor, settings: TrainingSettings
) -> Tensor:
    """The loss of the examples that are kept, from their inputs [b, ...]; where none is, 0, whose gradients are 0 where
    a step has one at all."""
    if len(kept):
        return weighted_loss(model(inputs), train.labels[kept], weights[kept], settings.label_smoothing)
    other = first_kept(weights)[None]
    with in_mode(model, training=False):  # which neither draws nor counts the example in any statistics
        return weighted_loss(model(train.inputs[other]), train.labels[other], torch.zeros_like(weights[other]))
