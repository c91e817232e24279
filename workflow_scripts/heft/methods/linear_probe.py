"""linear_probe: examples whose label a linear model that did not see them doubts are lowest."""

import warnings
from collections.abc import Iterator
from typing import Annotated, Literal

import numpy as np
import torch
from annotated_types import Gt
from torch import Tensor

from heft.devices import CPU
from heft.errors import HeftError
from heft.kernels.label_quality import label_quality, likeliest_labels
from heft.kernels.out_of_fold import only_units_kept
from heft.kernels.whole_folds import whole_folds
from heft.methods.context import Context
from heft.methods.declare import method

N_FOLDS = 5
MOST_ITERATIONS = 300
CONSTANT = 1e-6  # a column that varies by less of its mean is rounding


@method(
    family="inputs",
    title="Linear probe",
    formula="s_i = p_i[y_i] - max_{c != y_i} p_i[c],  p_i of a logistic regression on the inputs of the other 4 folds",
    paper="Alain and Bengio 2016, arXiv 1610.01644 (probes); quality: Northcutt et al. 2021, arXiv 1911.00068",
    predicts="How firmly a linear model that never saw the example holds its label; not the effect of removal.",
    needs=(),
    ensemble=False,
    assumes="That a linear model can tell the classes apart: by features of an encoder more than by raw pixels.",
    cost="Five logistic regressions, of 20 to 300 passes over n inputs each.",
    memory="The inputs twice more.",
    fails="Where classes are not linearly separable, noise follows the inputs, or a class has few examples.",
)
def linear_probe(
    context: Context,
    *,
    l2: Annotated[float, Gt(0)] = 1.0,
    quality: Literal["normalized_margin", "self_confidence"] = "normalized_margin",
) -> Tensor:
    """Margins [n_train] in [-1, 1], or probabilities of the label in [0, 1] where quality is self_confidence.

    A multinomial logistic regression (scikit-learn) minimises mean loss + l2 / 2 |W|^2 on the flattened inputs, each
    column with mean 0 and variance 1 on the other folds. Folds are stratified by given label and drawn from the seed;
    groups and near-duplicates that splits keep together are in one fold. l2: more follows wrong labels less. The only
    example, or group, of a class keeps its label, with probability 1. Raises HeftError where there is a single class,
    or a single group.
    """
    inputs, labels, units = context.train.inputs.cpu(), context.train.labels.cpu(), context.train.units
    if bool((labels == labels[0]).all()):
        raise HeftError(f"all training examples have the label {int(labels[0])}; expected at least two classes.")
    rows = inputs.detach().reshape(len(inputs), -1)
    columns = (rows if rows.dtype == torch.float64 else rows.float()).numpy()
    probabilities = torch.zeros(len(labels), context.n_classes, dtype=torch.float64, device=CPU)
    for held_out in folds_of(labels, units, context.generator("linear_probe")):
        classes, predicted = _predicted(context, columns, labels.numpy(), held_out.numpy(), l2)
        probabilities[held_out[:, None], torch.from_numpy(classes)] = torch.from_numpy(predicted).double()
    probabilities = only_units_kept(probabilities, labels, units)
    context.suggest(likeliest_labels(probabilities, labels))
    return label_quality(probabilities, labels, quality)


def folds_of(labels: Tensor, units: Tensor | None, generator: torch.Generator) -> Iterator[Tensor]:
    """The rows of each fold: every class spread as evenly as whole units allow, a small one over some of them."""
    order = torch.randperm(len(labels), generator=generator)
    sizes = torch.bincount(labels)
    # Each class goes on from the one before.
    first = dict(enumerate(((sizes.cumsum(dim=0) - sizes) % N_FOLDS).tolist()))
    fold_of = whole_folds(order, labels, None if units is None else units.cpu(), first, N_FOLDS)
    for fold in fold_of.unique():
        yield (fold_of == fold).nonzero()[:, 0]


def _predicted(
    context: Context, columns: np.ndarray, labels: np.ndarray, held_out: np.ndarray, l2: float
) -> tuple[np.ndarray, np.ndarray]:
    """Classes [c] of the examples that are not held out, and their probabilities [h, c] for those that are."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    kept = np.ones(len(labels), dtype=bool)
    kept[held_out] = False
    if len(classes := np.unique(labels[kept])) == 1:
        return classes, np.ones((len(held_out), 1))
    known = columns[kept]
    mean, deviation = known.mean(axis=0), known.std(axis=0)
    deviation[deviation <= CONSTANT * abs(mean)] = 1
    known -= mean
    known /= deviation
    probe = LogisticRegression(C=1 / (l2 * len(known)), max_iter=MOST_ITERATIONS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is said below, once and in other words
        probe.fit(known, labels[kept])
    if probe.n_iter_.max() >= MOST_ITERATIONS:
        context.warn(f"a logistic regression has not converged in {MOST_ITERATIONS} iterations; raise l2, now {l2:g}")
    return probe.classes_, probe.predict_proba((columns[held_out] - mean) / deviation)
