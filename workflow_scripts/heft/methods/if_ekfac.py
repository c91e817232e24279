"""if_ekfac: influence of removing a training example, by Kronecker factors with corrected eigenvalues (EK-FAC)."""

from typing import Annotated

from annotated_types import Gt
from torch import Tensor

from heft.kernels.curvature.kronecker import counted_as_zero, fisher_curvature, solve_layers
from heft.kernels.directional import summed_derivatives
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="influence",
    title="Influence (EK-FAC)",
    formula="s_i = sum_layers <Q_S [(Q_S^T V Q_A) / (Lambda + lambda)] Q_A^T, G_i>,  Lambda = E_i[(Q_S^T G_i Q_A)^2]",
    paper="Grosse et al. 2023, arXiv 2308.03296, section 2.4; George et al. 2018, arXiv 1806.03884",
    predicts="The change of f when example i is left out and the model is refitted near theta, up to a factor.",
    needs=("final", "validation"),
    ensemble=True,
    assumes="That the eigenvectors of a layer's curvature are Kronecker products, and layers do not act on each other.",
    cost="About 20, and the eigenvectors of two matrices a layer.",
    memory="For each layer two square matrices and one of its own shape; one batch of activations.",
    fails="Parameters outside Linear and Conv2d layers count as 0, which it warns of; layers that share "
    "parameters cannot be taken.",
)
def if_ekfac(context: Context, *, damping: Annotated[float, Gt(0)] = 0.1, parameters: str = "all") -> Tensor:
    """Influences [n_train] at the final parameters, from labels drawn from the model, one an example.

    damping is a fraction of each layer's mean eigenvalue, as in Grosse et al. 2023, so that layers of all
    sizes are damped alike. parameters: `all`, `last` (layer), or a pattern of layer names. Raises HeftError where
    the model has no layer that factors are known for.
    """
    v, generator = context.objective_gradient(context.final, parameters), context.generator("fisher")
    factors, others = fisher_curvature(
        context.network, context.final, context.train.inputs, v.keys(), generator, corrected=True
    )
    if others:
        context.warn(counted_as_zero(others))
    direction = solve_layers(factors, v, damping)
    return summed_derivatives(context.network, [(context.final, direction)], *context.train)
