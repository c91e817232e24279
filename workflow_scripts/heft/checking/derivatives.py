"""Whether forward mode, reverse mode and Hessian products of a model agree with each other."""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn.functional import cross_entropy

from heft.checking.finding import Finding
from heft.checking.precision import State, in_double
from heft.checking.subject import Subject
from heft.errors import HeftError
from heft.kernels.curvature import CurvatureOperator, flatten, unflatten
from heft.kernels.directional import directional_derivatives
from heft.kernels.functional import evaluation

N = 3
FORWARD = "forward mode gives the gradients of each example"
SYMMETRIC = "Hessian products are symmetric"
DIFFERENCES = "Hessian products are the differences of gradients"
STEPS = (1e-5, 1e-6)  # where a kink lies within the one, there may be none within the other
SMALLEST = 1e-6  # below this length a product is nothing but rounding


def forward_agrees(subject: Subject) -> Finding:
    """Compares <d, grad l_i> in forward mode with the gradient of each example by itself, for a random d."""
    state, inputs, tolerance = in_double(subject.model, subject.state, subject.examples.inputs[:N])
    labels, direction = subject.examples.labels[:N], random_direction(subject, state, 0)
    expected = torch.stack(
        [
            _dot(direction, gradient(subject, state, inputs[row : row + 1], labels[row : row + 1]))
            for row in range(len(inputs))
        ]
    )
    try:
        found = directional_derivatives(subject.model, state, [direction], inputs, labels)[0]
    except HeftError as error:
        return Finding(FORWARD, note=f"there is no forward mode: {error}")
    apart = _relative(found, expected)
    return Finding(FORWARD, "" if apart <= tolerance else f"they differ by {apart:.1e} of the largest")


def hessian_agrees(subject: Subject) -> list[Finding]:
    """Compares <u, H v> with <v, H u>, and in float64 H v with a difference of two gradients, for random u and v."""
    state, inputs, tolerance = in_double(subject.model, subject.state, subject.examples.inputs[:N])
    labels = subject.examples.labels[:N]
    like = random_direction(subject, state, 0)
    u, v = (flatten(random_direction(subject, state, seed)) for seed in (1, 2))
    try:
        product = CurvatureOperator("hessian", subject.model, state, inputs, labels, like)
        of_u, of_v = product(u), product(v)
    except HeftError as error:
        return [Finding(SYMMETRIC, note=f"there are none: {error}")]
    size = float(of_u.double().norm() * v.double().norm())
    asymmetry = abs(float(v.double() @ of_u.double() - u.double() @ of_v.double())) / max(size, SMALLEST)
    reason = "" if asymmetry <= tolerance else f"<u, H v> and <v, H u> differ by {asymmetry:.1e} of |H u| |v|"
    if inputs.dtype != torch.float64:
        return [Finding(SYMMETRIC, reason)]

    apart = min(_apart_from_differences(subject, state, inputs, labels, unflatten(v, like), of_v))
    return [
        Finding(SYMMETRIC, reason),
        Finding(DIFFERENCES, "" if apart <= 1e-4 else f"they differ by {apart:.1e} of their length"),
    ]


def _apart_from_differences(
    subject: Subject, state: State, inputs: Tensor, labels: Tensor, v: dict[str, Tensor], product: Tensor
) -> Iterator[float]:
    """Relative to the longer, how far H v is from the difference of two gradients, for each step."""

    def at(step: float) -> Tensor:
        moved = {name: state[name] + step * tensor for name, tensor in v.items()}
        return flatten(gradient(subject, {**state, **moved}, inputs, labels))

    for step in STEPS:
        expected = (at(step) - at(-step)) / (2 * step)
        longer = max(float(product.norm()), float(expected.norm()), SMALLEST)
        yield float((product - expected).norm()) / longer


def random_direction(subject: Subject, state: State, seed: int) -> dict[str, Tensor]:
    """Entries N(0, 1) for each parameter that training may move."""
    generator = torch.Generator().manual_seed(seed)
    return {name: torch.randn(state[name].shape, generator=generator).to(state[name].dtype) for name in subject.trained}


def gradient(subject: Subject, state: State, inputs: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """The gradient of the mean loss of some examples in reverse mode; zeros for parameters that it does not reach."""
    leaves = {name: state[name].detach().requires_grad_() for name in subject.trained}
    with torch.enable_grad(), evaluation(subject.model):
        value = cross_entropy(functional_call(subject.model, {**state, **leaves}, (inputs,)), labels)
        found = torch.autograd.grad(value, list(leaves.values()), allow_unused=True, materialize_grads=True)
    return dict(zip(leaves, found, strict=True))


def _dot(left: dict[str, Tensor], right: dict[str, Tensor]) -> Tensor:
    return torch.stack([(left[name].double() * right[name].double()).sum() for name in left]).sum()


def _relative(found: Tensor, expected: Tensor) -> float:
    difference = (found.double() - expected.double()).abs().max()
    return float(difference / expected.double().abs().max().clamp(min=1e-30))
