"""ip: inner product of each training gradient with the validation gradient (Grad-Dot)."""

from torch import Tensor

from heft.kernels.directional import summed_derivatives
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="gradients",
    title="IP",
    formula="s_i = <grad f(theta), grad l_i(theta)>",
    paper="Charpiat et al. 2019, arXiv 2102.05262; IP in arXiv 2405.17490",
    predicts="Minus the change of f by one small gradient step on example i; not retraining without it.",
    needs=("final", "validation"),
    ensemble=True,
    assumes="That curvature may be left out: the Hessian is taken for a multiple of the identity.",
    cost="3 to 6: one forward-mode pass over the training set, and the validation gradient.",
    memory="One batch of activations with their tangents.",
    fails="Where steep directions of the loss dominate the inner product, and where many examples share one error.",
)
def ip(context: Context, *, parameters: str = "all") -> Tensor:
    """Inner products [n_train] at the final parameters.

    parameters: `all`, `last` (layer), or a pattern of layer names.
    """
    v = context.objective_gradient(context.final, parameters)
    return summed_derivatives(context.network, [(context.final, v)], *context.train)
