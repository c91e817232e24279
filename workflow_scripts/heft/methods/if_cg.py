"""if_cg: influence of removing a training example, by conjugate gradients on the damped Gauss-Newton matrix."""

from typing import Annotated, Literal

from annotated_types import Gt, Lt
from torch import Tensor

from heft.errors import HeftError
from heft.kernels.curvature.curvature_operator import CurvatureOperator, flatten, unflatten
from heft.kernels.curvature.solve import NegativeCurvatureError, conjugate_gradient, lanczos
from heft.kernels.directional import summed_derivatives
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="influence",
    title="Influence (CG)",
    formula="s_i = grad f^T (G + (wd + damping * lambda_max) I)^-1 grad l_i,  lambda_max the largest eigenvalue of G",
    paper="Koh and Liang 2017, arXiv 1703.04730, equation 2 (opposite sign); Gauss-Newton form: Martens 2010",
    predicts="n times the change of f when example i is left out and the model is refitted near theta; damping "
    "shrinks it by a factor.",
    needs=("final", "validation"),
    ensemble=True,
    counterfactual=True,
    assumes="A minimum that training has nearly reached, and a model that is near linear in its parameters around it.",
    derived_for_sgd="weight_decay is the curvature of a penalty in the loss",
    cost="About 4 a product, 10 to 20 products, and one forward-mode pass.",
    memory="One batch of activations, and five vectors as long as the parameters.",
    fails="Where the damping is too small for the curvature of few examples; with curvature: hessian at a saddle.",
)
def if_cg(
    context: Context,
    *,
    damping: Annotated[float, Gt(0)] = 0.1,
    tolerance: Annotated[float, Gt(0), Lt(1)] = 0.01,
    curvature: Literal["gauss_newton", "hessian"] = "gauss_newton",
    parameters: str = "all",
) -> Tensor:
    """Influences [n_train] at the final parameters; wd is the weight decay of training.

    damping is a fraction of lambda_max. Relative, so that scores keep their order when the loss is rescaled,
    and relative to the largest eigenvalue, so that the condition number is at most 1 + 1/damping: conjugate gradients
    need about sqrt(1 + 1/damping) / 2 * log(2 / tolerance) products whatever the model. The default 0.1 is the factor
    that Grosse et al. 2023 use; here it says that no direction is amplified by more than 11 against the steepest.
    tolerance is the relative residual where the solver stops.
    parameters: `all`, `last` (layer), or a pattern of layer names.

    Raises HeftError where the solver does not get there, or meets negative curvature, with the damping that would do.
    """
    v = context.objective_gradient(context.final, parameters)
    product = CurvatureOperator(curvature, context.network, context.final, *context.train, like=v)
    b = flatten(v)
    largest = product.leading_eigenpair(b).value
    shift = context.weight_decay + damping * largest
    if not shift > 0 and b.any():
        raise HeftError(f"The {curvature} matrix is zero: the gradients of all training examples are.")
    try:
        solved = conjugate_gradient(
            lambda vector: product(vector) + shift * vector, b, tolerance=tolerance, most_steps=1000
        )
    except NegativeCurvatureError as error:
        smallest = float(lanczos(product, b, steps=50).values.min())
        needed = -(smallest + context.weight_decay) / largest
        raise HeftError(
            f"{error} The smallest eigenvalue is about {smallest:.3g}: damping must be above {needed:.2g} here, or "
            "curvature be gauss_newton."
        ) from error
    return summed_derivatives(context.network, [(context.final, unflatten(solved, v))], *context.train)
