"""captum: TracInCP with its sample-wise trick, over all parameters; summed over validation examples (aggregate)."""

import torch
from captum.influence import TracInCP
from problem import Problem, main
from torch import Tensor, nn

REQUIREMENT = "captum==0.9.0"


def tracin(problem: Problem, last: int) -> Tensor:
    """Of the `last` checkpoints, weighted by their learning rates."""
    states = {str(index): checkpoint for index, checkpoint in enumerate(problem.checkpoints[-last:])}

    def load(model: nn.Module, name: str) -> float:
        state, rate = states[name]
        model.load_state_dict(state)
        return rate

    attributor = TracInCP(
        problem.model,
        problem.loader(256),
        list(states),
        checkpoints_load_func=load,
        loss_fn=nn.CrossEntropyLoss(reduction="sum"),
        batch_size=256,
        sample_wise_grads_per_batch=True,
    )
    scores = attributor.influence(problem.validation_loader(256), aggregate=True)
    return torch.as_tensor(scores)[0]


METHODS = {
    "ip": lambda problem: tracin(problem, 1),
    "tracin": lambda problem: tracin(problem, len(problem.checkpoints)),
}

if __name__ == "__main__":
    main(METHODS)
