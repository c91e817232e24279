"""Exact nearest neighbours in blocks: how the labels around each example are shared out among the classes."""

from collections.abc import Iterator
from typing import Literal

import torch
from torch import Tensor

from heft.devices import CPU
from heft.errors import HeftError

BLOCK_BYTES = 64 * 2**20  # of similarities that are held at a time


def neighbour_shares(
    inputs: Tensor,
    labels: Tensor,
    n_classes: int,
    k: int,
    metric: Literal["cosine", "euclidean"] = "cosine",
    units: Tensor | None = None,
) -> Tensor:
    """Share of each class among the labels of the k nearest other examples, float64 [n, n_classes] on the CPU; rows
    sum to 1.

    inputs [n, ...] are flattened; where there are fewer than k others, all are counted. Of examples as near as the k-th
    each counts alike for what is left of k, so that no share depends on the order of the rows. Computes in float32, or
    in the inputs' own type if that is float64. An input of length 0 is as near to all others by cosine. units: int64
    [n], examples of the same one are no neighbours; None where each is one of its own. Raises HeftError where all are
    one unit.
    """
    if units is not None and bool((units == units[0]).all()):
        raise HeftError(f"all {len(units)} examples are of one group, in which none counts as another's neighbour.")
    points = inputs.detach().reshape(len(inputs), -1)
    points = points if points.dtype == torch.float64 else points.float()
    k, labels = min(k, len(points) - 1), labels.cpu()
    counts = torch.zeros(len(points), n_classes, dtype=torch.float64, device=CPU)
    for rows, similarities in _similarities(points, metric, units):
        values, nearest = (part.cpu() for part in similarities.topk(k + 1, dim=1))
        others = values[:, :k] > -torch.inf
        counts[rows] = _counts(labels[nearest[:, :k]], others, n_classes)
        for row in (others[:, k - 1] & (values[:, k] == values[:, k - 1])).nonzero()[:, 0].tolist():
            tied = _counts_with_ties(similarities[row].cpu(), values[row, k], labels, n_classes, k)
            counts[rows.start + row] = tied
        counts[rows] /= others.sum(dim=1, keepdim=True)
    return counts


def _similarities(points: Tensor, metric: str, units: Tensor | None) -> Iterator[tuple[slice, Tensor]]:
    """Blocks of rows, with numbers [b, n] that fall as the distance grows, minus infinity at the row itself and at
    others of its unit."""
    if metric == "cosine":
        points = torch.nn.functional.normalize(points)
        offset = points.new_zeros(len(points))
    else:  # -|x - y|^2 / 2 = x y - |y|^2 / 2, up to what is the same for all y
        points = points - points.mean(dim=0)
        offset = points.square().sum(dim=1) / 2
    block = max(1, BLOCK_BYTES // (len(points) * points.element_size()))
    for first in range(0, len(points), block):
        rows = slice(first, min(first + block, len(points)))
        similarities = torch.addmm(-offset, points[rows], points.T)
        own = torch.arange(first, rows.stop, device=points.device)
        similarities[own - first, own] = -torch.inf
        if units is not None:
            similarities.masked_fill_(units[rows, None] == units, -torch.inf)
        yield rows, similarities


def _counts(labels: Tensor, counted: Tensor, n_classes: int) -> Tensor:
    """How often each class stands among those labels [b, k] that are counted: float64 [b, n_classes]."""
    counts = torch.zeros(len(labels), n_classes, dtype=torch.float64, device=CPU)
    return counts.scatter_add_(1, labels, counted.double())


def _counts_with_ties(similarities: Tensor, kth: Tensor, labels: Tensor, n_classes: int, k: int) -> Tensor:
    """The same [n_classes] of one example, for which more than the k-th are as near as that."""
    nearer, tied = labels[similarities > kth], labels[similarities == kth]
    left = (k - len(nearer)) / len(tied)
    return torch.bincount(nearer, minlength=n_classes) + left * torch.bincount(tied, minlength=n_classes).double()
