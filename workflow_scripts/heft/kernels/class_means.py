"""Means in which every class counts the same, however many examples it has."""

from torch import Tensor


def mean_of_class_means(values: Tensor, labels: Tensor) -> Tensor:
    """(1/C) sum_c mean of values_i over i with y_i = c, over the C classes that have an example: a scalar.

    values: floating [n]. labels: int64 [n].
    """
    # On the CPU: a device is asked for no shape that depends on numbers.
    classes, index, counts = labels.cpu().unique(return_inverse=True, return_counts=True)
    sums = values.new_zeros(len(classes)).index_add(0, index.to(values.device), values)
    return (sums / counts.to(values.device)).mean()
