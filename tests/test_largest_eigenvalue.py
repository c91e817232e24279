"""The largest eigenvalue, on which damping rests, is within 2 % of the dense matrix's, whatever the model and seed."""

from collections.abc import Callable
from functools import partial

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap
from torch.nn.functional import cross_entropy

from heft.kernels.batch import Batch
from heft.kernels.curvature.curvature_operator import CurvatureOperator, dense_matrix, flatten
from heft.kernels.curvature.solve import leading_eigenpair
from heft.objectives.gradient import objective_gradient
from heft.objectives.loss import loss

N_CLASSES = 4


class Grouped(nn.Module):
    """A grouped convolution over series, on whose Gauss-Newton matrix power iteration stopped 31 % too low."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.out = nn.Conv1d(4, 4, 3, padding=1, groups=2), nn.Linear(4, N_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(nn.functional.silu(self.first(x[:, 0])).mean(2))


def layers(*between: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Flatten(), *between, nn.Linear(8, N_CLASSES))


ODD: dict[str, Callable[[], nn.Module]] = {
    "grouped": Grouped,
    "logistic": lambda: nn.Sequential(nn.Flatten(), nn.Linear(16, N_CLASSES)),
    "relu": lambda: layers(nn.Linear(16, 12), nn.ReLU(), nn.Linear(12, 8), nn.ReLU()),
    "norm": lambda: layers(nn.Linear(16, 8), nn.LayerNorm(8), nn.SiLU()),
    "convolution": lambda: nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1), nn.GELU(), nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12, N_CLASSES)
    ),
}


def trained(model: nn.Module, inputs: Tensor, labels: Tensor, steps: int) -> dict[str, Tensor]:
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    for _ in range(steps):
        optimizer.zero_grad()
        cross_entropy(model(inputs), labels).backward()
        optimizer.step()
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}


def gradient_of(model: nn.Module, state: dict[str, Tensor], inputs: Tensor, labels: Tensor) -> dict[str, Tensor]:
    return objective_gradient(loss, model, state, Batch(inputs, labels))


@pytest.mark.slow
@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("curvature", ["gauss_newton", "hessian"])
def test_it_is_that_of_the_dense_matrix_on_odd_models(name: str, curvature: str) -> None:
    for seed in range(3):
        torch.manual_seed(seed)
        labels = torch.arange(52) % N_CLASSES
        inputs = 2 * torch.randn(N_CLASSES, 1, 4, 4, dtype=torch.float64)[labels]
        inputs += torch.randn_like(inputs)
        model = ODD[name]().double()
        state = trained(model, inputs[:37], labels[:37], 10 + 40 * seed)
        v = gradient_of(model, state, inputs[37:], labels[37:])
        operator = CurvatureOperator(curvature, model, state, inputs[:37], labels[:37], like=v)
        matrix = dense_matrix(operator, flatten(v))
        right = float(torch.linalg.eigvalsh(matrix).abs().max())
        value = leading_eigenpair(partial(torch.mv, matrix), flatten(v)).value
        assert 0.98 * right <= value <= (1 + 1e-9) * right, seed
        if seed == 0:
            assert operator.leading_eigenpair(flatten(v)).value == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_it_is_that_of_the_dense_matrix_on_digits(seed: int) -> None:
    from sklearn.datasets import load_digits

    digits = load_digits()
    torch.manual_seed(seed)
    order = torch.randperm(len(digits.target))
    inputs = torch.tensor(digits.images, dtype=torch.float32)[order, None] / 16
    labels = torch.tensor(digits.target)[order]
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 5), nn.Tanh(), nn.Linear(5, 10))
    state = trained(model, inputs[:1100], labels[:1100], 40 + 60 * seed)
    v = gradient_of(model, state, inputs[1100:], labels[1100:])

    def logits_of(values: dict[str, Tensor], x: Tensor) -> Tensor:
        return functional_call(model, values, (x[None],))[0]

    each = vmap(jacrev(logits_of), in_dims=(None, 0))(state, inputs[:1100])
    jacobian = torch.cat([tensor.flatten(2) for tensor in each.values()], dim=2)
    p = functional_call(model, state, (inputs[:1100],)).softmax(1)
    middle = torch.diag_embed(p) - p[:, :, None] * p[:, None, :]
    right = float(torch.linalg.eigvalsh(torch.einsum("ncd,nck,nke->de", jacobian, middle, jacobian) / 1100)[-1])
    operator = CurvatureOperator("gauss_newton", model, state, inputs[:1100], labels[:1100], like=v)
    assert operator.leading_eigenpair(flatten(v)).value == pytest.approx(right, rel=0.02)
