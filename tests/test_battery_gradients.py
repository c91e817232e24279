"""Scores of gradients and logits on every module of the battery, against plain backward passes in float64."""

import battery
import pytest
import torch
from dense_reference import close, reference, rounding, scores
from torch import Tensor

from heft.kernels.projection.random_rows import BLOCK

MODULES = list(battery.WORKING)


@pytest.mark.parametrize("name", MODULES)
def test_inner_products_and_lengths_are_those_of_the_gradients(name: str) -> None:
    it = reference(name)
    products, lengths = it.gradients @ it.v, it.gradients.norm(dim=1)
    close(scores("ip", name), products, rounding(name))
    close(scores("tracin", name), 0.3 * products, rounding(name))
    close(scores("self_ip", name), -lengths.square(), rounding(name))
    close(scores("grad_cos", name), products / (lengths * it.v.norm()), rounding(name))


@pytest.mark.parametrize("name", MODULES)
def test_scores_of_logits_are_their_formulas(name: str) -> None:
    it = reference(name)
    z, labels, rows = it.logits, it.train.labels, torch.arange(len(it.logits))
    p, others = z.softmax(dim=1), z.clone()
    others[rows, labels] = -torch.inf
    onehot = torch.nn.functional.one_hot(labels, battery.N_CLASSES)
    close(scores("loss", name), p[rows, labels].log(), rounding(name))
    close(scores("trusted_loss", name), p[rows, labels].log(), rounding(name))
    close(scores("confidence", name), p[rows, labels], rounding(name))
    close(scores("margin", name), z[rows, labels] - others.amax(dim=1), rounding(name))
    close(scores("el2n", name), -(p - onehot).norm(dim=1), rounding(name))


def drawn_rows(name: str, stream: str, dimension: int) -> Tensor:
    """The projection [dimension, d] that a method draws."""
    it = reference(name)
    context, blocks = it.context(name), []
    for start in range(0, dimension, BLOCK):
        size = min(BLOCK, dimension - start)
        parts = [
            torch.empty(size, *tensor.shape, dtype=tensor.dtype)
            .normal_(generator=context.generator(f"{stream}/{parameter}/{start}"))
            .reshape(size, -1)
            .double()
            for parameter, tensor in zip(it.names, it.parameters, strict=True)
        ]
        blocks.append(torch.cat(parts, dim=1))
    return torch.cat(blocks)


@pytest.mark.parametrize("name", MODULES)
def test_random_projections_are_products_with_the_rows_that_are_drawn(name: str) -> None:
    it, dimension = reference(name), 20
    p = drawn_rows(name, "random_projection", dimension)
    close(
        scores("random_projection", name, {"dimension": dimension}),
        it.gradients @ p.T @ (p @ it.v) / dimension,
        rounding(name),
    )


@pytest.mark.parametrize("name", MODULES)
def test_trak_is_its_dense_formula(name: str) -> None:
    it, dimension = reference(name), 3
    p = drawn_rows(name, "trak/0", dimension)
    probability = it.logits.softmax(dim=1).gather(1, it.train.labels[:, None])[:, 0]
    rows = torch.arange(len(probability))
    # d/dtheta log(p / (1 - p)), from the Jacobian of the logits
    others = it.logits.softmax(dim=1).clone()
    others[rows, it.train.labels] = 0
    others = others / others.sum(dim=1, keepdim=True)
    pulls = torch.nn.functional.one_hot(it.train.labels, battery.N_CLASSES) - others
    phi = torch.einsum("ncd,nc->nd", it.jacobian, pulls) @ p.T / p.shape[1] ** 0.5
    kernel = phi.T @ phi
    kernel = kernel + 0.1 * kernel.diagonal().mean() * torch.eye(dimension, dtype=torch.float64)
    expected = -(1 - probability) * (phi @ torch.linalg.solve(kernel, p @ it.v / p.shape[1] ** 0.5))
    actual = scores("trak", name, {"models": 1, "dimension": dimension, "damping": 0.1})
    close(actual, expected, 20 * rounding(name) if name == "bfloat16" else 1e-8)
