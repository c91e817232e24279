"""oracle: knows which labels are wrong and puts them lowest; the upper reference for removal."""

import torch
from torch import Tensor

from heft.errors import HeftError
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="references",
    title="Oracle",
    formula="s_i = 1[given label = true label] + u_i,  u_i ~ U(0, 1)",
    paper="none: needs the true labels",
    predicts="Whether the label is wrong. It says nothing about how much that hurts.",
    needs=("true_labels",),
    ensemble=False,
    assumes="That the true labels are known.",
    cost="0.",
    memory="One number for each example.",
    fails="Where wrong labels help, or the wrong ones do different harm: it is a reference for labels, not for "
    "influence.",
)
def oracle(context: Context) -> Tensor:
    """Scores [n_train] in [0, 2): below 1 where the label is wrong.

    Ties are broken at random, drawn per seed, so that a cut inside the wrong ones is a random part of them and not
    the first rows. Raises HeftError where the true labels are not known or none is wrong.
    """
    labels, true_labels = context.train.labels, context.true_labels
    if true_labels is None:
        raise HeftError("Method oracle needs the true labels, which this data set does not have; leave it out.")
    right = (labels == true_labels).cpu()  # where the ties are drawn
    if bool(right.all()):
        raise HeftError("Method oracle found no wrong label in the training split; plant noise or leave it out.")
    return right + torch.rand(len(labels), generator=context.generator("oracle"), dtype=torch.float64)
