"""if_exact: influence of removing a training example, by the dense curvature matrix; for small models."""

from typing import Annotated, Literal

import torch
from annotated_types import Ge
from torch import Tensor

from heft.devices import in_float64
from heft.errors import HeftError
from heft.kernels.curvature.curvature_operator import CurvatureOperator, dense_matrix, flatten, unflatten
from heft.kernels.directional import summed_derivatives
from heft.methods.context import Context
from heft.methods.declare import method

MOST_PARAMETERS = 8192  # a float64 matrix of half a gigabyte


@method(
    family="influence",
    title="Influence (exact)",
    formula="s_i = grad f^T (H + (wd + damping * lambda_max) I)^-1 grad l_i,  lambda_max the largest |eigenvalue| of H",
    paper="Koh and Liang 2017, arXiv 1703.04730, equation 2 (opposite sign); Cook and Weisberg 1982",
    predicts="n times the change of f when example i is left out and the model is refitted near theta; damping "
    "shrinks it by a factor.",
    needs=("final", "validation"),
    ensemble=True,
    counterfactual=True,
    assumes="A minimum that training has reached, and that moves smoothly when an example's weight does.",
    derived_for_sgd="weight_decay is the curvature of a penalty in the loss",
    cost="About 4 to 8 for each parameter.",
    memory="The matrix: 8 bytes times the square of the number of parameters, which may be at most 8,192.",
    fails="Away from a minimum, where the damped Hessian has negative eigenvalues; it warns with their number.",
)
def if_exact(
    context: Context,
    *,
    damping: Annotated[float, Ge(0)] = 0.1,
    curvature: Literal["gauss_newton", "hessian"] = "hessian",
    parameters: str = "all",
) -> Tensor:
    """Influences [n_train] at the final parameters; wd is the weight decay of training.

    damping is a fraction of the largest absolute eigenvalue. curvature: gauss_newton has no negative
    eigenvalues. parameters: `all`, `last` (layer), or a pattern of layer names. Raises HeftError where
    there are too many parameters, or the damped matrix is singular.
    """
    v = context.objective_gradient(context.final, parameters)
    b = flatten(v)
    if len(b) > MOST_PARAMETERS:
        raise HeftError(
            f"parameters selects {len(b):,} numbers; the dense matrix takes at most {MOST_PARAMETERS:,}: "
            "set parameters to last or to a pattern, or use if_cg."
        )
    product = CurvatureOperator(curvature, context.network, context.final, *context.train, like=v)
    values, vectors = torch.linalg.eigh(in_float64(dense_matrix(product, b)))
    largest = values.abs().max()
    if not largest > 0 and context.weight_decay == 0:
        raise HeftError(f"The {curvature} matrix is zero: the gradients of all training examples are.")
    damped = values + context.weight_decay + damping * largest
    if damped.abs().min() <= 1e-12 * largest:
        raise HeftError("The curvature matrix is singular: raise the damping.")
    if negative := int((damped < 0).sum()):
        needed = float(-(values[0] + context.weight_decay) / largest)
        context.warn(
            f"{negative} of {len(b)} eigenvalues of the damped {curvature} are negative, so the scores have no meaning "
            f"as influence; damping above {needed:.2g} makes them positive"
        )
    solved = vectors @ ((vectors.T @ in_float64(b)) / damped)
    return summed_derivatives(context.network, [(context.final, unflatten(solved.to(b), v))], *context.train)
