"""self_ip: examples with the longest gradients are lowest: those that still pull hardest on the trained model."""

from torch import Tensor

from heft.kernels.norms import squared_gradient_norms
from heft.methods.registry import Context, method


@method(
    title="Self IP",
    formula="s_i = -|grad l_i(theta)|^2",
    paper="Pruthi et al. 2020, arXiv 2002.08484, section 4 (self-influence, at one checkpoint; opposite sign)",
    predicts="Minus how much one small gradient step on the example lowers its own loss; not the effect of removal.",
    needs=("final",),
    ensemble=True,
)
def self_ip(context: Context) -> Tensor:
    """Minus the squared gradient lengths [n_train], at most 0. Needs no validation split."""
    return -squared_gradient_norms(context.network, context.final, *context.train)
