"""margin: logit of the given label minus the largest other logit; below 0 where the model disagrees."""

from torch import Tensor

from heft.kernels.functional import logits_of
from heft.kernels.logits import label_and_largest_other
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="predictions",
    title="Margin",
    formula="s_i = z_i[y_i] - max_{c != y_i} z_i[c],  z the logits at the final theta",
    paper="in-sample logit margin, as compared in arXiv 2510.16211",
    predicts="How firmly the trained model holds the given label; not the effect of removal.",
    needs=("final",),
    ensemble=True,
    assumes="What loss assumes.",
    cost="1.",
    memory="One batch of activations.",
    fails="As loss; less where probabilities are saturated.",
)
def margin(context: Context) -> Tensor:
    """Margins [n_train] of raw logits, which do not saturate as probabilities do."""
    logits = logits_of(context.network, context.final, context.train.inputs)
    label_logit, largest_other_logit = label_and_largest_other(logits, context.train.labels)
    return label_logit - largest_other_logit
