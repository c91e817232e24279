"""SGD with momentum by `backward()` alone, as torch.optim.SGD defines it: what training has to agree with.

g <- grad + weight_decay * theta;  m <- momentum * m + g;  theta <- theta - learning_rate * m;  m starts as the first g.
A parameter without a gradient is left alone.
"""

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from heft.data.examples import Examples
from heft.training.loop import batches, state_of
from heft.training.settings import TrainingSettings


def plain_sgd(model: nn.Module, train: Examples, settings: TrainingSettings, order_seed: int) -> dict[str, Tensor]:
    """Trains the model in place at a constant rate, in the batch order and with the draws of `train_one`; its state."""
    trained = {name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad}
    momenta: dict[str, Tensor] = {}
    generator = torch.Generator().manual_seed(order_seed)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(order_seed)
        model.train()
        for _ in range(settings.epochs):
            for batch in batches(len(train), settings.batch_size, generator):
                model.zero_grad()
                cross_entropy(model(train.inputs[batch]), train.labels[batch]).backward()
                with torch.no_grad():
                    _step(trained, momenta, settings)
    model.eval()
    model.zero_grad()
    return state_of(model)


def _step(trained: dict[str, nn.Parameter], momenta: dict[str, Tensor], settings: TrainingSettings) -> None:
    for name, parameter in trained.items():
        if parameter.grad is None:
            continue
        gradient = parameter.grad + settings.weight_decay * parameter
        momenta[name] = settings.momentum * momenta[name] + gradient if name in momenta else gradient
        parameter.sub_(settings.learning_rate * momenta[name])
