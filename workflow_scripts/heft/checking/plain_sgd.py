"""SGD with momentum by the step of torch.optim.SGD in a plain loop: what training has to agree with.

It shares no line with the rooms that train, so that the check of a model and the tests compare with an independent
answer. The step is called as a function: making the optimiser itself imports torch's compiler, two CPU seconds.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.optim.sgd import sgd

from heft.data.examples import Examples
from heft.persons_code import generators_kept, seed_generators
from heft.training.settings import TrainingSettings


def plain_sgd(
    model: nn.Module,
    train: Examples,
    settings: TrainingSettings,
    order_seed: int,
    *,
    labels: Tensor | None = None,
    weights: Tensor | None = None,
    rates: Sequence[float] | None = None,
) -> dict[str, Tensor]:
    """Trains the model in place and returns copies of its parameters and buffers.

    order_seed decides the batch order and what the model draws. labels [n]: in the place of the given ones. weights
    [n]: the loss of a batch is the weighted mean over those above 0, and the others are not in it. rates: of each
    step; by default constant.
    """
    labels = train.labels if labels is None else labels
    momenta: dict[Tensor, Tensor | None] = dict.fromkeys(
        parameter for parameter in model.parameters() if parameter.requires_grad
    )
    order, step = torch.Generator().manual_seed(order_seed), 0
    with generators_kept():
        seed_generators(order_seed)
        model.train()
        for _ in range(settings.epochs):
            for batch in torch.randperm(len(train), generator=order).split(settings.batch_size):
                model.zero_grad()
                _loss(model, train.inputs, labels, batch, weights).backward()
                _step(momenta, settings, settings.learning_rate if rates is None else rates[step])
                step += 1
    model.eval()
    model.zero_grad()
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def _step(momenta: dict[Tensor, Tensor | None], settings: TrainingSettings, rate: float) -> None:
    """Moves the parameters that have a gradient, and their momenta."""
    gradients = {parameter: parameter.grad for parameter in momenta if parameter.grad is not None}
    buffers = [momenta[parameter] for parameter in gradients]
    with torch.no_grad():
        sgd(
            list(gradients),
            list(gradients.values()),
            buffers,
            lr=rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
            dampening=0,
            nesterov=False,
            maximize=False,
        )
    momenta.update(zip(gradients, buffers, strict=True))


def _loss(model: nn.Module, inputs: Tensor, labels: Tensor, batch: Tensor, weights: Tensor | None) -> Tensor:
    if weights is None:
        return cross_entropy(model(inputs[batch]), labels[batch])
    batch = batch[weights[batch] > 0]
    losses = cross_entropy(model(inputs[batch]), labels[batch], reduction="none")
    return (weights[batch] * losses).sum() / weights[batch].sum()
