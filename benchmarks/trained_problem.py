"""The problems that Heft and other libraries are measured on, made and saved for their processes."""

import os
import warnings
from pathlib import Path

import libraries  # noqa: F401  where problem.py and heft are found
import torch
from problem import MODELS, N_CLASSES, SMALL, Problem, save
from torch import Tensor
from torch.nn import functional

from heft.kernels.batch import Batch
from heft.kernels.curvature.curvature_operator import CurvatureOperator, flatten
from heft.kernels.layers.norms import squared_gradient_norms
from heft.models.build import build_model
from heft.objectives.gradient import objective_gradient
from heft.objectives.loss import loss
from heft.registry import declarations

warnings.filterwarnings("ignore", category=FutureWarning, message=".*torch.jit.script.*")  # torch's own


def make_problem(name: str, n: int, folder: Path, data: tuple[Tensor, Tensor] | None = None) -> Problem:
    """A model trained for a few epochs on images, by default of Fashion-MNIST, with a fifth of the labels wrong."""
    torch.manual_seed(0)
    images, labels = images_of(name) if data is None else data
    order = torch.randperm(len(labels))
    chosen, held_out = order[:n], order[-1000 if n > 500 else -32 :]
    train, validation = (images[chosen], labels[chosen].clone()), (images[held_out], labels[held_out])
    wrong = torch.rand(n) < 0.2
    train[1][wrong] = torch.randint(0, N_CLASSES, (int(wrong.sum()),))
    registered, options, shape = MODELS[name]
    model = build_model(registered, options, shape, N_CLASSES, seed=0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    checkpoints = []
    for _ in range(5):
        for batch in torch.randperm(n).split(64):
            optimizer.zero_grad()
            functional.cross_entropy(model(train[0][batch]), train[1][batch]).backward()
            optimizer.step()
        checkpoints.append(({key: tensor.clone() for key, tensor in model.state_dict().items()}, 0.02))
    state = checkpoints[-1][0]
    v = objective_gradient(loss, model, state, Batch(*validation))
    product = CurvatureOperator("gauss_newton", model, state, *train, like=v)
    damping = 0.1 * product.leading_eigenpair(flatten(v)).value
    squares = float(squared_gradient_norms(model, state, *train).mean())
    problem = Problem(name, folder, train, validation, checkpoints, damping, 0.1 * squares / len(flatten(v)))
    save(problem)
    return problem


def images_of(name: str) -> tuple[Tensor, Tensor]:
    """Fashion-MNIST as the model wants it."""
    raw = declarations("data/sources")["fashion_mnist"].load()(Path(os.environ.get("HEFT_DATA", ".")))
    images, labels = torch.from_numpy(raw.inputs), torch.from_numpy(raw.labels).long()
    if name == SMALL:
        return functional.avg_pool2d(images, 4), labels
    if MODELS[name][2][0] == 3:
        images = functional.pad(images, (2, 2, 2, 2)).expand(-1, 3, -1, -1)
    return images, labels
