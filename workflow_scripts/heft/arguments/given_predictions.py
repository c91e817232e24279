"""Class probabilities that a person has, checked: `predictions` of `heft.suspects`."""

from typing import Any

import torch
from torch import Tensor

from heft.arguments.given_labels import GivenLabels, label_values, labels_by_column, labels_by_name
from heft.arguments.tensors import tensor_of, type_and_shape
from heft.errors import HeftError

# How far the sum of a row may be from 1: ten probabilities of two decimals are up to .05 away.
TOLERANCE = 0.05
FEWEST_IN_ORDER = 30  # examples that tell whether labels and predictions agree more often than by chance


def given_predictions(predictions: Any, labels: Any, classes: Any = None) -> tuple[Tensor, GivenLabels]:
    """Probabilities of a floating type of at least 32 bits [n, n_classes], and the labels as their columns.

    predictions: a tensor, an array or lists, or a table of pandas, whose columns then name the classes. Raises
    HeftError naming the row where these are no probabilities, or do not belong to the labels.
    """
    if hasattr(predictions, "columns"):
        classes = list(predictions.columns) if classes is None else classes
        predictions = predictions.to_numpy(copy=True)  # that of a table may be read-only
    values = label_values(labels)
    probabilities = tensor_of(predictions, "predictions").detach().cpu()
    if probabilities.dim() != 2 or probabilities.shape[1] < 2 or probabilities.is_complex():
        raise HeftError(
            f"predictions are {type_and_shape(probabilities)}; expected probabilities [n, n_classes], a column for "
            "each class, also where there are two."
        )
    n, n_classes = probabilities.shape
    if n != len(values):
        raise HeftError(f"predictions hold {n} rows for {len(values)} labels; expected one for each.")
    probabilities = probabilities if probabilities.dtype == torch.float64 else probabilities.float()
    check_probabilities(probabilities)
    if classes is None:
        return probabilities, labels_by_column(values, n_classes)
    named = labels_by_name(values, classes)
    if len(named.classes) != n_classes:
        raise HeftError(
            f"classes are {len(named.classes)} for {n_classes} columns of predictions; expected one for each."
        )
    return probabilities, named


def order_warning(probabilities: Tensor, labels: Tensor) -> str:
    """A sentence where the likeliest class is the given label no more often than for rows that do not belong together.

    That is so if the examples of one file are in another order than those of the other, or the classes are.
    """
    n, n_classes = probabilities.shape
    predicted = probabilities.argmax(dim=1)
    agreeing = float((predicted == labels).double().mean())
    shares = [torch.bincount(classes, minlength=n_classes).double() / n for classes in (predicted, labels)]
    chance = float(shares[0] @ shares[1])
    if n < FEWEST_IN_ORDER or agreeing > chance + 3 * (chance * (1 - chance) / n) ** 0.5:
        return ""
    return (
        f"the likeliest class is the given label in {agreeing:.1%} of the rows, no more than by chance ({chance:.1%}): "
        "check that predictions and labels have the same order of examples, and of classes"
    )


def check_probabilities(probabilities: Tensor, called: str = "predictions") -> None:
    """Raises HeftError naming the row where numbers [n, n_classes] are no probabilities; `called` begins sentences."""
    wrong = ~(probabilities.isfinite() & (probabilities >= 0) & (probabilities <= 1 + TOLERANCE))
    if wrong.any():
        row, column = wrong.nonzero()[0].tolist()
        advice = "; of logits, pass softmax" if probabilities.isfinite().all() else ""
        raise HeftError(
            f"{called}: row {row}, column {column} holds {float(probabilities[row, column]):g}; expected "
            f"probabilities from 0 to 1{advice}."
        )
    sums = probabilities.sum(dim=1)
    if len(off := ((sums - 1).abs() > TOLERANCE).nonzero()):
        row = int(off[0])
        raise HeftError(f"{called}: row {row} sums to {float(sums[row]):.4g}; expected 1, to within {TOLERANCE}.")
