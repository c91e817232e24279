"""Means in which every class counts the same, however many examples it has."""

import torch
from torch import Tensor


def mean_of_class_means(values: Tensor, labels: Tensor) -> Tensor:
    """(1/C) sum_c mean of values_i over i with y_i = c, over the C classes that have an example: a scalar.

    values: floating [n]. labels: int64 [n].
    """
    classes, index, counts = labels.unique(return_inverse=True, return_counts=True)
    sums = torch.zeros(len(classes), dtype=values.dtype, device=values.device).index_add(0, index, values)
    return (sums / counts).mean()
