"""Heft's own methods, as a script calls them."""

from collections.abc import Callable
from functools import partial

from problem import Problem, main
from torch import Tensor

import heft

REQUIREMENT = ""


def run(method: str, problem: Problem, objective: str | Callable[..., Tensor] = "loss", **options: object) -> Tensor:
    """The method's scores; objective: of the validation split, lower is better."""
    return heft.score(
        method,
        problem.model,
        problem.train,
        problem.validation,
        objective=objective,
        checkpoints=problem.checkpoints,
        subsets=[problem.state],
        **options,
    )


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
