"""grad_cos: cosine between each training gradient and the validation gradient."""

import torch
from torch import Tensor

from heft.kernels.directional import summed_derivatives
from heft.kernels.norms import squared_gradient_norms
from heft.methods.registry import Context, method


@method(
    title="Grad-Cos",
    formula="s_i = <grad f(theta), grad l_i(theta)> / (|grad f(theta)| |grad l_i(theta)|)",
    paper="Charpiat et al. 2019, arXiv 2102.05262, section 2 (symmetric kernel)",
    predicts="The direction of the example's pull alone, its size left out; not the effect of removal.",
    needs=("final", "validation"),
    ensemble=True,
)
def grad_cos(context: Context) -> Tensor:
    """Cosines [n_train] in [-1, 1]; 0 where the example's gradient is zero. A mean over members weighs all alike."""
    v = context.objective_gradient(context.final)
    products = summed_derivatives(context.network, [(context.final, v)], *context.train)
    lengths = squared_gradient_norms(context.network, context.final, *context.train).sqrt()
    length_of_v = torch.cat([tensor.flatten() for tensor in v.values()]).norm()
    return torch.where(lengths > 0, products / (lengths * length_of_v), 0.0)
