"""confident_learning: cleanlab's label quality from models that did not train on the example."""

from typing import Literal

import torch
from torch import Tensor

from heft.errors import HeftError
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="predictions",
    title="Confident learning",
    formula="s_i = quality of y_i under p_i,  p_i the probabilities of the model that held i out (5 folds)",
    paper="Northcutt et al. 2021, arXiv 1911.00068; scores: Kuan and Mueller 2022, arXiv 2207.03061 (cleanlab)",
    predicts="How probable the given label is to a model that never saw it; not the effect of removal.",
    needs=("folds",),
    ensemble=True,
    assumes="That a model which never saw an example can judge its label.",
    cost="Five trainings, and 1.",
    memory="One number for each example and class.",
    fails="Where noise is systematic in all folds alike, and with classes of few examples.",
)
def confident_learning(
    context: Context,
    *,
    quality: Literal["self_confidence", "normalized_margin", "confidence_weighted_entropy"] = "self_confidence",
    adjusted: bool = False,
) -> Tensor:
    """Label qualities [n_train] in [0, 1].

    quality: what cleanlab makes of the probabilities. adjusted: subtracts each class's mean self-confidence first, for
    classes that the model finds hard as a whole. Raises HeftError if adjusted is true with
    confidence_weighted_entropy. The only training example of a class, or the only group, counts as sure: no model that
    holds it out can know the class.
    """
    from cleanlab.rank import get_label_quality_scores

    if adjusted and quality == "confidence_weighted_entropy":
        raise HeftError("adjusted is true; it must be false with confidence_weighted_entropy.")
    labels, probabilities = context.train.labels.cpu(), context.out_of_fold_probabilities()
    scores = get_label_quality_scores(labels.numpy(), probabilities.numpy(), method=quality, adjust_pred_probs=adjusted)
    return torch.from_numpy(scores)
