"""el2n: length of the error vector early in training; what is still far from its label then is lowest."""

import torch
from torch import Tensor
from torch.nn import functional

from heft.kernels.functional import logits_of
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="training",
    title="EL2N",
    formula="s_i = -mean_t |softmax(z_i(theta_t)) - onehot(y_i)|_2  over early epochs t",
    paper="Paul, Ganguli and Dziugaite 2021, arXiv 2107.07075, definition 2.2 (there without the minus, over seeds)",
    predicts="How hard the example is before the model can memorise it; not the effect of removal.",
    needs=("early",),
    ensemble=True,
    assumes="That wrong labels stand out most before they are memorised.",
    cost="1 for each early epoch.",
    memory="One batch of activations.",
    fails="Where early epochs have learned nothing yet, or are late already; right but hard examples look wrong.",
)
def el2n(context: Context) -> Tensor:
    """Minus the mean error length [n_train], in [-sqrt(2), 0]."""
    onehot = functional.one_hot(context.train.labels, context.n_classes)
    lengths = [
        (logits_of(context.network, checkpoint.state, context.train.inputs).softmax(dim=1) - onehot).norm(dim=1)
        for checkpoint in context.early
    ]
    return -torch.stack(lengths).mean(dim=0)
