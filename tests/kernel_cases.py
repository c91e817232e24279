"""Cases and dense references for the tests of kernels."""

import torch
from attribution_cases import Case
from torch.func import functional_call, jacrev

from heft.kernels.curvature.curvature_operator import (
    flatten,
    unflatten,
)


def random_direction(case: Case, seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(tensor.shape, generator=generator, dtype=torch.float64)
        for name, tensor in case.model.named_parameters()
    }


def dense_gauss_newton(case: Case) -> torch.Tensor:
    """G as a matrix, from the Jacobian of the logits."""
    parameters, buffers = case.split(case.state)

    def logits_of(vector: torch.Tensor) -> torch.Tensor:
        return functional_call(case.model, {**unflatten(vector, parameters), **buffers}, (case.train.inputs,))

    jacobian = jacrev(logits_of)(flatten(parameters))  # [n, c, d]
    p = logits_of(flatten(parameters)).softmax(1)
    middle = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    return torch.einsum("ncd,nck,nke->de", jacobian, middle, jacobian) / len(p)


def positive_definite(size: int) -> torch.Tensor:
    root = torch.randn(size, size, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    return root @ root.T + torch.eye(size, dtype=torch.float64)
