"""Trains many models at once: each parameter is a stack with one entry a model.

Six MLPs of 784-128-64-10, batches of 64, cost 0.6 to 0.75 times six one by one, on one thread
(benchmarks/batched_training.py).
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from heft.data.examples import Examples
from heft.training.loop import AfterEpoch, batches, train_one, weighted_loss
from heft.training.schedule import learning_rate_at, learning_rate_of
from heft.training.settings import TrainingSettings
from heft.training.sgd import StochasticGradientDescent

# BatchNorm and dropout have a state or draws that models would share; convolutions of different models at once cost
# 1.2 times as much as one by one on a CPU.
ONE_BY_ONE = (nn.modules.batchnorm._BatchNorm, nn.modules.dropout._DropoutNd, nn.modules.conv._ConvNd)


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
) -> dict[str, Tensor]:
    """Final states [M, ...] of M models of the architecture of `model`, each as `train_one` trains it.

    initial: states [M, ...], see `stack_states`. order_seeds: M of them. weights [M, n]: 1 where absent.
    labels [M, n]: those of `train` where absent. after_epoch: see `train_one`, with stacked states.
    Networks with batch normalisation, dropout or convolutions, and a single model, are trained one by one.
    """
    n_models = len(order_seeds)
    if weights is None:
        weights = torch.ones(n_models, len(train), dtype=train.inputs.dtype)
    if n_models == 1 or any(isinstance(module, ONE_BY_ONE) for module in model.modules()):
        return _train_in_turn(model, initial, train, settings, order_seeds, weights, labels, after_epoch)
    return train_stacked(model, initial, train, settings, order_seeds, weights, labels, after_epoch)


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
    """`train_many` by one forward and backward pass for all models: SGD on the stack is SGD on each entry."""
    n = len(train)
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    # Matrices are stored transposed, [M, in, out]: so autograd delivers their gradients, and none has to be copied.
    stack = {
        name: _turned(tensor, 3).detach().clone(memory_format=torch.contiguous_format).requires_grad_(name in trained)
        for name, tensor in initial.items()
    }
    optimizer = StochasticGradientDescent([stack[name] for name in stack if name in trained], settings)

    def logits_of(entry: dict[str, Tensor], inputs: Tensor) -> Tensor:
        return functional_call(model, {name: _turned(tensor, 2) for name, tensor in entry.items()}, (inputs,))

    def states() -> dict[str, Tensor]:
        return {name: _turned(tensor, 3).detach().clone().contiguous() for name, tensor in stack.items()}

    shared = len(set(order_seeds)) == 1
    logits_of_all = vmap(logits_of, in_dims=(0, None if shared else 0))
    generators = [torch.Generator().manual_seed(seed) for seed in (order_seeds[:1] if shared else order_seeds)]
    members = torch.arange(len(order_seeds))[:, None]
    step = 0
    if after_epoch:
        after_epoch(0, states(), step, learning_rate_of(0, settings, n))
    model.train()
    for epoch in range(1, settings.epochs + 1):
        for batch_of_each in zip(*(batches(n, settings.batch_size, g) for g in generators), strict=True):
            # With one order for all, the batch is gathered once: [batch], else [M, batch].
            batch = batch_of_each[0] if shared else torch.stack(batch_of_each)
            logits = logits_of_all(stack, train.inputs[batch])
            batch_labels = train.labels[batch] if labels is None else labels[members, batch]
            loss = weighted_loss(logits, batch_labels, weights[members, batch]).sum()
            optimizer.step(loss, learning_rate_at(step, settings, n))
            step += 1
        if after_epoch:
            after_epoch(epoch, states(), step, learning_rate_of(epoch, settings, n))
    model.eval()
    return states()


def stack_states(states: Sequence[dict[str, Tensor]]) -> dict[str, Tensor]:
    """One dictionary of tensors [M, ...] from M dictionaries."""
    return {name: torch.stack([state[name] for state in states]) for name in states[0]}


def unstack_state(states: dict[str, Tensor], member: int) -> dict[str, Tensor]:
    """The state of one model of a stack."""
    return {name: tensor[member].clone() for name, tensor in states.items()}


def _train_in_turn(
    model: nn.Module,
    initial: dict[str, Tensor],
    train: Examples,
    settings: TrainingSettings,
    order_seeds: Sequence[int],
    weights: Tensor,
    labels: Tensor | None,
    after_epoch: AfterEpoch | None,
) -> dict[str, Tensor]:
    waiting: dict[int, list[dict[str, Tensor]]] = {}

    def record(epoch: int, state: dict[str, Tensor], step: int, learning_rate: float) -> None:
        waiting.setdefault(epoch, []).append(state)
        if after_epoch and len(waiting[epoch]) == len(order_seeds):
            after_epoch(epoch, stack_states(waiting.pop(epoch)), step, learning_rate)

    finals = []
    for member, order_seed in enumerate(order_seeds):
        model.load_state_dict(unstack_state(initial, member))
        examples = train if labels is None else replace(train, labels=labels[member])
        finals.append(
            train_one(
                model,
                examples,
                settings,
                order_seed=order_seed,
                weights=weights[member],
                after_epoch=record if after_epoch else None,
            )
        )
    return stack_states(finals)


def _turned(tensor: Tensor, dimensions: int) -> Tensor:
    """The transpose where the tensor has `dimensions` axes, that is where an entry of the stack is a matrix."""
    return tensor.mT if tensor.dim() == dimensions else tensor
