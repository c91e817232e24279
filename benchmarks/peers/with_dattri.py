"""dattri: the validation split goes in as one item, so that one gradient of its mean loss is taken.

Labels may come as floats: its LiSSA makes all of a batch float but the parameters.
"""

import torch
from dattri.algorithm.influence_function import (
    IFAttributorArnoldi,
    IFAttributorCG,
    IFAttributorDataInf,
    IFAttributorEKFAC,
    IFAttributorLiSSA,
)
from dattri.algorithm.tracin import TracInAttributor
from dattri.algorithm.trak import TRAKAttributor
from dattri.task import AttributionTask
from problem import Problem, main
from torch import Tensor
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

REQUIREMENT = "dattri==0.3.0"


def task_of(problem: Problem, last: int = 1) -> AttributionTask:
    """The task at the last checkpoints."""
    model = problem.model

    def loss(params: dict[str, Tensor], data: tuple[Tensor, Tensor]) -> Tensor:
        inputs, labels = data
        inputs = inputs.reshape(-1, *problem.train[0].shape[1:])
        return functional.cross_entropy(torch.func.functional_call(model, params, inputs), labels.reshape(-1).long())

    states = [state for state, _ in problem.checkpoints[-last:]]
    return AttributionTask(loss_func=loss, model=model, checkpoints=states if last > 1 else states[0])


def one_item(problem: Problem) -> DataLoader:
    """The validation split as a single item."""
    inputs, labels = problem.validation
    return DataLoader(TensorDataset(inputs[None], labels[None]), batch_size=1)


def tracin(problem: Problem, last: int) -> Tensor:
    """Gradient inner products; nothing given for the projection would mean 512 dimensions, so it is taken away."""
    rates = torch.tensor([rate if last > 1 else 1.0 for _, rate in problem.checkpoints[-last:]])
    attributor = TracInAttributor(task=task_of(problem, last), weight_list=rates, normalized_grad=False, device="cpu")
    attributor.projector_kwargs = None
    with torch.no_grad():
        return attributor.attribute(problem.loader(64), one_item(problem))[:, 0]


def influence(make: type, problem: Problem, batch_size: int = 64, **options: object) -> Tensor:
    """An influence function, cached on the training set."""
    attributor = make(task=task_of(problem), device="cpu", **options)
    attributor.cache(problem.loader(batch_size))
    with torch.no_grad():
        return attributor.attribute(problem.loader(batch_size), one_item(problem))[:, 0]


def trak(problem: Problem) -> Tensor:
    """One model, 512 dimensions."""
    model = problem.model

    def margin(params: dict[str, Tensor], data: tuple[Tensor, Tensor]) -> Tensor:
        p = probability(params, data)
        return p.log() - (1 - p).log()

    def probability(params: dict[str, Tensor], data: tuple[Tensor, Tensor]) -> Tensor:
        image, label = data
        p = torch.func.functional_call(model, params, image[None])[0].softmax(0)
        return torch.where(torch.arange(len(p)) == label, p, 0.0).sum()  # indexing cannot be mapped over

    task = AttributionTask(loss_func=margin, model=model, checkpoints=problem.state)
    attributor = TRAKAttributor(
        task=task,
        correct_probability_func=probability,
        projector_kwargs={"proj_dim": 512, "device": "cpu"},
        device="cpu",
    )
    with torch.no_grad():
        attributor.cache(problem.loader(64))
        return attributor.attribute(problem.validation_loader(64)).mean(dim=1)


METHODS = {
    "ip": lambda problem: tracin(problem, 1),
    "tracin": lambda problem: tracin(problem, len(problem.checkpoints)),
    "if_cg": lambda problem: influence(IFAttributorCG, problem, regularization=problem.damping, max_iter=10),
    "if_lissa": lambda problem: influence(
        IFAttributorLiSSA, problem, batch_size=64, recursion_depth=100, damping=problem.damping
    ),
    "if_arnoldi": lambda problem: influence(IFAttributorArnoldi, problem, proj_dim=10, max_iter=25),
    "datainf": lambda problem: influence(IFAttributorDataInf, problem, regularization=problem.datainf_damping),
    "if_ekfac": lambda problem: influence(IFAttributorEKFAC, problem, damping=problem.damping),
    "trak": trak,
}

if __name__ == "__main__":
    main(METHODS)
