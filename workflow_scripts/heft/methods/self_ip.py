"""self_ip: examples with the longest gradients are lowest: those that still pull hardest on the trained model."""

from torch import Tensor

from heft.kernels.layers.norms import squared_gradient_norms
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="gradients",
    title="Self IP",
    formula="s_i = -|grad l_i(theta)|^2",
    paper="Pruthi et al. 2020, arXiv 2002.08484, section 4 (self-influence, at one checkpoint; opposite sign)",
    predicts="Minus how much one small gradient step on the example lowers its own loss; not the effect of removal.",
    needs=("final",),
    ensemble=True,
    assumes="That what still pulls hard on the trained model is suspicious.",
    cost="About 3: one forward and backward pass without gradients of weights.",
    memory="One batch of activations and output gradients.",
    fails="Right but rare examples pull as hard as wrong ones.",
)
def self_ip(context: Context, *, parameters: str = "all") -> Tensor:
    """Minus the squared gradient lengths [n_train], at most 0. Needs no validation split.

    parameters: `all`, `last` (layer), or a pattern of layer names.
    """
    return -squared_gradient_norms(
        context.network, context.final, *context.train, names=context.parameter_names(parameters)
    )
