"""Heft's own methods, as a run of the workflow calls them."""

from functools import partial

import torch
from problem import N_CLASSES, Problem, main
from torch import Tensor

from heft.kernels.batch import Batch
from heft.methods.context import AuxiliaryModel, Checkpoint, Context
from heft.objectives.declare import Objective
from heft.objectives.loss import loss
from heft.registry import declarations

REQUIREMENT = ""


def run(method: str, problem: Problem, objective: Objective = loss, **options: object) -> Tensor:
    """The method's scores; objective: of the validation split, lower is better."""
    checkpoints = [Checkpoint(state, learning_rate=rate) for state, rate in problem.checkpoints]
    context = Context(
        train=Batch(*problem.train),
        n_classes=N_CLASSES,
        seed=0,
        model=problem.model,
        final=problem.state,
        spaced=checkpoints,
        auxiliary={"subsets": [AuxiliaryModel(problem.state, torch.zeros(len(problem.train[0]), dtype=torch.bool))]},
        validation=Batch(*problem.validation),
        objective=objective,
    )
    return declarations("methods")[method].load()(context, **options)


METHODS = {
    "ip": partial(run, "ip"),
    "tracin": partial(run, "tracin"),
    "datainf": partial(run, "datainf"),
    "if_kfac": partial(run, "if_kfac"),
    "if_ekfac": partial(run, "if_ekfac"),
    "if_cg": partial(run, "if_cg"),
    "if_lissa": partial(run, "if_lissa"),
    "if_arnoldi": partial(run, "if_arnoldi", rank=10, iterations=25),
    "self_if": partial(run, "self_if"),
    "self_ip": partial(run, "self_ip"),
    "random_projection": partial(run, "random_projection"),
    "trak": partial(run, "trak", models=1, dimension=512, damping=0.1),
}

if __name__ == "__main__":
    main(METHODS)
