"""loss: training examples that the trained model gets most wrong are lowest."""

from torch import Tensor
from torch.nn import functional

from heft.kernels.functional import logits_of
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="predictions",
    title="Loss",
    formula="s_i = -l_i(theta)",
    paper="none: the common baseline (small-loss criterion, e.g. Han et al. 2018, arXiv 1804.06872)",
    predicts="How well the trained model fits the given label; not the effect of removal.",
    needs=("final",),
    ensemble=True,
    assumes="That the model has learned the rule before it memorised the exceptions.",
    cost="1.",
    memory="One batch of activations.",
    fails="Where training has memorised wrong labels, and where right examples are rare or hard.",
)
def loss(context: Context) -> Tensor:
    """Minus the cross-entropy [n_train], at most 0."""
    logits = logits_of(context.network, context.final, context.train.inputs)
    return -functional.cross_entropy(logits, context.train.labels, reduction="none")
