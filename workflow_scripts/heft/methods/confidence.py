"""confidence: the probability that the trained model gives to the label; examples it doubts are lowest."""

from torch import Tensor

from heft.kernels.functional import logits_of
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="predictions",
    title="Confidence",
    formula="s_i = softmax(z_i(theta))[y_i]",
    paper="none: the common baseline (self-confidence in Northcutt et al. 2021, arXiv 1911.00068, there out of fold)",
    predicts="How probable the model finds the given label; not the effect of removal.",
    needs=("final",),
    ensemble=True,
    assumes="What loss assumes.",
    cost="1.",
    memory="One batch of activations.",
    fails="As loss, which ranks alike for one model.",
)
def confidence(context: Context) -> Tensor:
    """Probabilities [n_train] in [0, 1]. One model ranks by it exactly as by `loss`; means over members differ."""
    probabilities = logits_of(context.network, context.final, context.train.inputs).softmax(dim=1)
    return probabilities.gather(1, context.train.labels[:, None])[:, 0]
