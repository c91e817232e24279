"""margin: logit of the given label minus the largest other logit; below 0 where the model disagrees."""

import torch
from torch import Tensor

from heft.kernels.functional import logits_of
from heft.methods.registry import Context, method


@method(
    title="Margin",
    formula="s_i = z_i[y_i] - max_{c != y_i} z_i[c],  z the logits at the final theta",
    paper="in-sample logit margin, as compared in arXiv 2510.16211",
    predicts="How firmly the trained model holds the given label; not the effect of removal.",
    needs=("final",),
    ensemble=True,
)
def margin(context: Context) -> Tensor:
    """Margins [n_train] of raw logits, which do not saturate as probabilities do."""
    logits = logits_of(context.network, context.final, context.train.inputs)
    label = context.train.labels[:, None]
    others = logits.scatter(1, label, -torch.inf)
    return logits.gather(1, label)[:, 0] - others.amax(dim=1)
