"""ip: inner product of each training gradient with the validation gradient (Grad-Dot)."""

from torch import Tensor

from heft.kernels.directional import summed_derivatives
from heft.methods.registry import Context, method


@method(
    title="IP",
    formula="s_i = <grad f(theta), grad l_i(theta)>",
    paper="Charpiat et al. 2019, arXiv 2102.05262; IP in arXiv 2405.17490",
    predicts="Minus the change of f by one small gradient step on example i; not retraining without it.",
    needs=("final", "validation"),
    ensemble=True,
)
def ip(context: Context) -> Tensor:
    """Inner products [n_train] at the final parameters."""
    v = context.objective_gradient(context.final)
    return summed_derivatives(context.network, [(context.final, v)], *context.train)
