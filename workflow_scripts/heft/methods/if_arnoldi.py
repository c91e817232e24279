"""if_arnoldi: influence within the span of the curvature's largest eigenvectors; nothing outside it."""

from typing import Annotated, Literal

import torch
from annotated_types import Gt, Le
from torch import Tensor

from heft.errors import HeftError
from heft.kernels.curvature.curvature_operator import CurvatureOperator, flatten, unflatten
from heft.kernels.curvature.solve import lanczos
from heft.kernels.directional import summed_derivatives
from heft.methods.context import Context
from heft.methods.declare import method


# longer: what the method declares takes half of it
@method(
    family="influence",
    title="Influence (Arnoldi)",
    formula="s_i = sum_k (u_k . grad f) (u_k . grad l_i) / lambda_k  over the top eigenpairs of H, by |lambda_k|",
    paper="Schioppa et al. 2022, arXiv 2112.03052, section 3.2",
    predicts="The change of f without example i, as far as the span of the eigenvectors tells, up to a factor.",
    needs=("final", "validation"),
    ensemble=True,
    assumes="That what lies outside the span of few eigenvectors does not matter for f.",
    cost="5 (MLP) to 11 (convolutions) for each of `iterations` products, and one forward-mode pass.",
    memory="One vector as long as the parameters for each iteration.",
    fails="Where grad f lies mostly outside the span, and where eigenpairs have not converged or are negative; "
    "it warns.",
)
def if_arnoldi(
    context: Context,
    *,
    rank: Annotated[int, Gt(0), Le(1_000_000)] = 10,
    iterations: Annotated[int, Gt(0), Le(1_000_000)] = 30,
    curvature: Literal["gauss_newton", "hessian"] = "hessian",
    start: Literal["random", "gradient"] = "random",
    parameters: str = "all",
) -> Tensor:
    """Influences [n_train] at the final parameters, without damping.

    rank: eigenpairs that are kept, those of the largest absolute eigenvalues. iterations: products, at least rank; for
    a symmetric matrix Arnoldi's iteration is Lanczos's, with full orthogonalisation. curvature: hessian, where signs
    are kept, or gauss_newton. start: random (the paper's), or gradient, which begins at grad f and finds more of it.
    parameters: `all`, `last` (layer), or a pattern of layer names. Raises HeftError if rank is above
    iterations.
    """
    if rank > iterations:
        raise HeftError(f"rank is {rank}; it must be at most iterations, which is {iterations}.")
    v = context.objective_gradient(context.final, parameters)
    b = flatten(v)
    if not b.any():  # no example has an influence on what does not move
        return summed_derivatives(context.network, [(context.final, v)], *context.train)
    product = CurvatureOperator(curvature, context.network, context.final, *context.train, like=v)
    drawn = torch.randn(len(b), generator=context.generator("if_arnoldi"), dtype=b.dtype).to(b.device)
    eigenpairs = lanczos(product, b if start == "gradient" else drawn, steps=iterations)
    values, vectors, residuals = (part[:rank] for part in eigenpairs)
    if not values[0].abs() > 0:
        raise HeftError(f"The {curvature} matrix is zero: the gradients of all training examples are.")
    usable = int((values.abs() > 1e-6 * values[0].abs()).sum())  # the first ones: they are ordered by size
    values, vectors, residuals = values[:usable], vectors[:usable], residuals[:usable]
    coefficients = vectors @ b
    if unsettled := int((residuals > 0.1 * values.abs()).sum()):
        context.warn(f"{unsettled} of {len(values)} eigenpairs have not converged; raise iterations or lower rank")
    if negative := int((values < 0).sum()):
        context.warn(f"{negative} of {len(values)} eigenvalues are negative: theta is no minimum; try gauss_newton")
    if (share := float(coefficients.square().sum() / b.dot(b))) < 0.5:
        context.warn(
            f"the {len(values)} eigenvectors span {100 * share:.0f} % of the squared length of the validation "
            "gradient; the rest counts as 0: raise rank and iterations, or set start to gradient"
        )
    direction = unflatten((coefficients / values) @ vectors, v)
    return summed_derivatives(context.network, [(context.final, direction)], *context.train)
