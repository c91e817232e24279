"""The case and the references of the tests of methods."""

import torch
from attribution_cases import N_TRAIN, Case

from heft.registry import find
from heft.training.dynamics import predict


def scores(name: str, case: Case, **options: object) -> torch.Tensor:
    return find("methods", name).configured(options)(case.context())


def refitted(case: Case, weights: torch.Tensor, decay: float) -> dict[str, torch.Tensor]:
    """Logistic regression at the optimum of sum(w l)/n + decay/2 |theta|^2."""
    parameters = {name: tensor.clone().requires_grad_() for name, tensor in case.state.items()}
    optimizer = torch.optim.LBFGS(
        parameters.values(), max_iter=500, tolerance_grad=1e-11, line_search_fn="strong_wolfe"
    )

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        logits = torch.func.functional_call(case.model, parameters, (case.train.inputs,))
        losses = torch.nn.functional.cross_entropy(logits, case.train.labels, reduction="none")
        penalty = sum((tensor.square().sum() for tensor in parameters.values()), torch.zeros(()))
        value = (weights * losses).sum() / N_TRAIN + decay / 2 * penalty
        value.backward()
        return value

    optimizer.step(closure)
    return {name: tensor.detach() for name, tensor in parameters.items()}


def validation_loss(case: Case, state: dict[str, torch.Tensor]) -> torch.Tensor:
    logits = predict(case.model, state, case.validation.inputs)
    return torch.nn.functional.cross_entropy(logits, case.validation.labels)
