"""Whether forward mode, reverse mode and Hessian products of a model agree with each other."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from heft.checking.finding import Finding
from heft.checking.precision import in_double
from heft.checking.subject import Subject
from heft.errors import HeftError
from heft.kernels.calling import call
from heft.kernels.curvature.curvature_operator import CurvatureOperator, flatten, unflatten
from heft.kernels.directional import directional_derivatives
from heft.kernels.functional import State, evaluation

FORWARD = "forward mode gives the gradients of each example"
SYMMETRIC = "Hessian products are symmetric"
DIFFERENTIATED = "Hessian products are the gradients of gradients"
STEPS = (1e-5, 1e-6)  # where a kink lies within the one, there may be none within the other
SMALLEST = 1e-6  # below this length a product is nothing but rounding


def forward_agrees(subject: Subject) -> Finding:
    """Compares <d, grad l_i> in forward mode with the gradient of each example by itself, for a random d."""
    few = subject.few
    state, inputs, tolerance = in_double(subject.model, subject.state, few.inputs)
    labels, direction = few.labels, random_direction(subject, state, 0)
    expected = torch.stack(
        [
            _dot(direction, gradient(subject, state, inputs[row : row + 1], labels[row : row + 1]))
            for row in range(len(inputs))
        ]
    )
    try:
        derivatives = directional_derivatives(subject.model, state, [direction], inputs, labels)[0]
    except HeftError as error:
        return Finding(FORWARD, note=f"there is no forward mode: {error}")
    apart = _relative(derivatives, expected)
    return Finding(FORWARD, "" if apart <= tolerance else f"they differ by {apart:.1e} of the largest")


def hessian_agrees(subject: Subject) -> list[Finding]:
    """Compares <u, H v> with <v, H u>, and H v with the gradient of <grad, v>, for random u and v.

    Where that gradient is not known, or is not symmetric itself (that of torch's weight norm is not), H v is compared
    with a difference of two gradients, in float64 alone. (It comes second, since it also sees what a detach or no_grad
    holds still.)
    """
    state, inputs, tolerance = in_double(subject.model, subject.state, subject.few.inputs)
    labels = subject.few.labels
    like = random_direction(subject, state, 0)
    u, v = (flatten(random_direction(subject, state, seed)) for seed in (1, 2))
    try:
        product = CurvatureOperator("hessian", subject.model, state, inputs, labels, like)
        of_u, of_v = product(u).cpu().double(), product(v).cpu().double()
    except HeftError as error:
        return [Finding(SYMMETRIC, note=f"there are none: {error}")]
    asymmetry = _asymmetry(u, v, of_u, of_v)
    reason = "" if asymmetry <= tolerance else f"<u, H v> and <v, H u> differ by {asymmetry:.1e} of |H u| |v|"
    expected = _from_double_backward(subject, state, inputs, labels, u, v, like, tolerance)
    if not expected:
        expected = [*_differences(subject, state, inputs, labels, unflatten(v, like))] if tolerance < 1e-6 else []
        tolerance = 1e-4
    apart = min(
        (float((of_v - reference).norm()) / _longer(of_v.norm(), reference.norm()) for reference in expected),
        default=0.0,
    )
    differ = "" if apart <= 10 * tolerance else f"they differ by {apart:.1e} of their length"
    return [Finding(SYMMETRIC, reason), Finding(DIFFERENTIATED, differ)]


def _asymmetry(u: Tensor, v: Tensor, of_u: Tensor, of_v: Tensor) -> float:
    """How far <u, H v> and <v, H u> are apart, relative to |H u| |v|."""
    return abs(float(v.cpu().double() @ of_u - u.cpu().double() @ of_v)) / _longer(of_u.norm() * v.norm())


def _from_double_backward(
    subject: Subject,
    state: State,
    inputs: Tensor,
    labels: Tensor,
    u: Tensor,
    v: Tensor,
    like: dict[str, Tensor],
    tolerance: float,
) -> list[Tensor]:
    """H v by reverse mode through reverse mode; nothing where torch has no such pass, or it is not symmetric."""
    try:
        of_u, of_v = (
            _twice_differentiated(subject, state, inputs, labels, unflatten(vector, like)) for vector in (u, v)
        )
    except (NotImplementedError, RuntimeError):
        return []
    return [of_v] if _asymmetry(u, v, of_u, of_v) <= tolerance else []


def _twice_differentiated(
    subject: Subject, state: State, inputs: Tensor, labels: Tensor, v: dict[str, Tensor]
) -> Tensor:
    """The gradient of <grad, v>, by reverse mode through reverse mode."""
    leaves = {name: state[name].detach().requires_grad_() for name in v}
    with torch.enable_grad(), evaluation(subject.model):
        first = _gradients(_mean_loss(subject, {**state, **leaves}, inputs, labels), leaves, create_graph=True)
        along = torch.stack([(first[name] * tensor).sum() for name, tensor in v.items()]).sum()
        if not along.requires_grad:
            return torch.zeros_like(flatten(v)).cpu().double()
        return flatten(_gradients(along, leaves)).cpu().double()


def _differences(
    subject: Subject, state: State, inputs: Tensor, labels: Tensor, v: dict[str, Tensor]
) -> Iterator[Tensor]:
    """(grad(theta + h v) - grad(theta - h v)) / 2h for each step h."""

    def at(step: float) -> Tensor:
        moved = {name: state[name] + step * tensor for name, tensor in v.items()}
        return flatten(gradient(subject, {**state, **moved}, inputs, labels))

    for step in STEPS:
        yield (at(step) - at(-step)).cpu().double() / (2 * step)


def random_direction(subject: Subject, state: State, seed: int) -> dict[str, Tensor]:
    """Entries N(0, 1) for each parameter that training may move and a gradient reaches."""
    generator = torch.Generator().manual_seed(seed)
    names = subject.reached
    return {name: torch.randn(state[name].shape, generator=generator).to(state[name]) for name in names}


def gradient(subject: Subject, state: State, inputs: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """The gradient of the mean loss of some examples in reverse mode, by each parameter that it reaches."""
    leaves = {name: state[name].detach().requires_grad_() for name in subject.reached}
    with torch.enable_grad(), evaluation(subject.model):
        return _gradients(_mean_loss(subject, {**state, **leaves}, inputs, labels), leaves)


def _mean_loss(subject: Subject, state: State, inputs: Tensor, labels: Tensor) -> Tensor:
    return cross_entropy(call(subject.model, state, inputs.clone()), labels)


def _gradients(value: Tensor, leaves: dict[str, Tensor], create_graph: bool = False) -> dict[str, Tensor]:
    gradients = torch.autograd.grad(
        value, list(leaves.values()), create_graph=create_graph, allow_unused=True, materialize_grads=True
    )
    return dict(zip(leaves, gradients, strict=True))


def _dot(left: dict[str, Tensor], right: dict[str, Tensor]) -> Tensor:
    return torch.stack([(left[name].cpu().double() * right[name].cpu().double()).sum() for name in left]).sum()


def _relative(computed: Tensor, expected: Tensor) -> float:
    difference = (computed.cpu().double() - expected.cpu().double()).abs().max()
    return float(difference / expected.cpu().double().abs().max().clamp(min=1e-30))


def _longer(*lengths: Tensor) -> float:
    return max(*map(float, lengths), SMALLEST)
