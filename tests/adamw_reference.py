"""AdamW by torch.optim.AdamW itself, in a plain loop: what training by `adamw` has to agree with."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from heft.data.examples import Examples
from heft.training.settings import TrainingSettings


def plain_adamw(
    model: nn.Module,
    train: Examples,
    settings: TrainingSettings,
    order_seed: int,
    *,
    labels: Tensor | None = None,
    weights: Tensor | None = None,
    **options: Any,
) -> dict[str, Tensor]:
    """Trains the model in place at a constant rate; order_seed decides the batch order and what the model draws.

    labels [n]: in the place of the given ones. weights [n]: of the examples in the loss of their batch; 0 leaves out.
    """
    labels = train.labels if labels is None else labels
    weights = torch.ones(len(train), dtype=train.inputs.dtype) if weights is None else weights
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimiser = torch.optim.AdamW(
        trained, lr=settings.learning_rate, weight_decay=settings.weight_decay, foreach=False, **options
    )
    order = torch.Generator().manual_seed(order_seed)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(order_seed)
        model.train()
        for _ in range(settings.epochs):
            for batch in torch.randperm(len(train), generator=order).split(settings.batch_size):
                batch = batch[weights[batch] > 0]
                logits, smoothing = model(train.inputs[batch]), settings.label_smoothing
                losses = cross_entropy(logits, labels[batch], reduction="none", label_smoothing=smoothing)
                optimiser.zero_grad()
                ((weights[batch] * losses).sum() / weights[batch].sum()).backward()
                for parameter in trained:
                    if parameter.grad is not None and parameter.grad.is_sparse:  # which torch's AdamW refuses
                        parameter.grad = parameter.grad.to_dense()
                optimiser.step()
    model.eval()
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
