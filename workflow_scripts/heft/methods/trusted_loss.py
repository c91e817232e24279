"""trusted_loss: examples are lowest whose label a model fine-tuned on the trusted validation split gets most wrong."""

from torch import Tensor
from torch.nn import functional

from heft.kernels.functional import logits_of
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="predictions",
    title="Trusted loss",
    formula="s_i = -l_i(theta'),  theta' the final theta after a short fine-tuning on the validation split",
    paper="none: what a person with trusted labels would do; settings in `fine_tuning`",
    predicts="How well a model that saw trusted labels last fits the given label; not the effect of removal.",
    needs=("fine_tuned",),
    ensemble=True,
    assumes="That the validation labels are right, and enough to fine-tune on.",
    cost="A short training, and 1.",
    memory="One batch of activations.",
    fails="With few or wrong validation labels; the validation split is used up.",
)
def trusted_loss(context: Context) -> Tensor:
    """Minus the cross-entropy [n_train], at most 0. The validation split is used up: it cannot judge what follows."""
    (fine_tuned,) = context.auxiliary_models("fine_tuned")
    logits = logits_of(context.network, fine_tuned.state, context.train.inputs)
    return -functional.cross_entropy(logits, context.train.labels, reduction="none")
