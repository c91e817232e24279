"""grad_cos: cosine between each training gradient and the validation gradient."""

import torch
from torch import Tensor

from heft.kernels.directional import summed_derivatives
from heft.kernels.layers.norms import squared_gradient_norms
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="gradients",
    title="Grad-Cos",
    formula="s_i = <grad f(theta), grad l_i(theta)> / (|grad f(theta)| |grad l_i(theta)|)",
    paper="Charpiat et al. 2019, arXiv 2102.05262, section 2 (symmetric kernel)",
    predicts="The direction of the example's pull alone, its size left out; not the effect of removal.",
    needs=("final", "validation"),
    ensemble=True,
    assumes="What ip assumes; it leaves out how large the gradient is.",
    cost="About 5: one forward-mode pass and one of lengths.",
    memory="One batch of activations with their tangents.",
    fails="Examples that the model fits well have tiny gradients, whose direction is noise.",
)
def grad_cos(context: Context, *, parameters: str = "all") -> Tensor:
    """Cosines [n_train] in [-1, 1]; 0 where either gradient is zero. A mean over members weighs all alike.

    parameters: `all`, `last` (layer), or a pattern of layer names.
    """
    v = context.objective_gradient(context.final, parameters)
    products = summed_derivatives(context.network, [(context.final, v)], *context.train)
    lengths = squared_gradient_norms(
        context.network, context.final, *context.train, names=context.parameter_names(parameters)
    ).sqrt()
    length_of_v = torch.cat([tensor.flatten() for tensor in v.values()]).norm()
    both = lengths * length_of_v
    return torch.where(both > 0, products / both, 0.0)
