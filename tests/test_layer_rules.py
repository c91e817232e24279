"""What is known of a layer's per-example gradients, against the gradients themselves, one by one by reverse mode."""

import weakref

import pytest
import torch
from attribution_cases import make_case
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap

from heft.kernels.layers.capture import Captured, batches_of, layers_run_once, output_gradient_batches
from heft.kernels.layers.layer_gradients import LayerGradients
from heft.kernels.layers.matrix_gradients import (
    flat_gradients,
    has_short_gradients,
    inner_products,
    parameter_gradients,
)
from heft.kernels.layers.normalisation import is_normalisation, normalisation_gradients
from heft.kernels.layers.norms import squared_layer_norms
from heft.kernels.layers.rows import layer_matrices, layer_matrix, layer_tensors
from heft.kernels.losses import cross_entropy

# layer, input of one example, whether its gradients are shorter than the pairs of positions
LAYERS = {
    "linear": (lambda: nn.Linear(5, 3), (5,), False),
    "linear without bias": (lambda: nn.Linear(5, 3, bias=False), (5,), False),
    "linear on few tokens": (lambda: nn.Linear(5, 3), (2, 5), False),
    "linear on many tokens": (lambda: nn.Linear(5, 3), (9, 5), True),
    "linear on a grid": (lambda: nn.Linear(5, 3), (3, 4, 5), True),
    "convolution of few pixels": (lambda: nn.Conv2d(4, 6, 3, padding=1), (4, 3, 3), False),
    "convolution of few pixels without bias": (lambda: nn.Conv2d(4, 6, 3, bias=False), (4, 4, 4), False),
    "convolution of one pixel": (lambda: nn.Conv2d(4, 6, 3), (4, 3, 3), False),
    "grouped convolution of one pixel": (lambda: nn.Conv2d(4, 6, 3, groups=2), (4, 3, 3), False),
    "convolution of many pixels": (lambda: nn.Conv2d(1, 2, 3, padding=1), (1, 6, 6), True),
    "convolution of many pixels without bias": (lambda: nn.Conv2d(1, 2, 3, bias=False), (1, 8, 8), True),
    "grouped convolution": (lambda: nn.Conv2d(4, 6, 3, groups=2, stride=2, dilation=2), (4, 7, 7), False),
    "grouped convolution of many pixels": (lambda: nn.Conv2d(4, 6, 1, groups=2), (4, 5, 5), True),
}


@pytest.mark.parametrize("name", LAYERS)
def test_what_is_known_of_a_layers_gradients(name: str) -> None:
    build, shape, short = LAYERS[name]
    generator = torch.Generator().manual_seed(0)
    torch.manual_seed(0)
    layer = build().double()
    inputs = torch.randn(7, *shape, dtype=torch.float64, generator=generator)
    delta = torch.randn(layer(inputs).shape, dtype=torch.float64, generator=generator)
    gradients = gradients_of(layer, inputs, delta)
    flat = torch.stack([layer_matrix(layer, {k: g[i] for k, g in gradients.items()}).flatten() for i in range(7)])
    captured = Captured(inputs, None, {}, len(inputs))
    direction = {k: torch.randn(g.shape[1:], dtype=torch.float64, generator=generator) for k, g in gradients.items()}
    products = sum((gradients[k] * direction[k]).flatten(1).sum(dim=1) for k in gradients)

    assert has_short_gradients(layer, delta) is short
    close(flat_gradients(layer, captured, delta), flat)
    formed = parameter_gradients(layer, captured, delta)
    assert set(formed) == set(gradients)
    for key, tensor in formed.items():
        close(tensor, gradients[key].flatten(1))
    close(squared_layer_norms(layer, captured, delta), flat.square().sum(dim=1))
    both = layer_matrices(layer, {key: torch.stack([tensor, -tensor]) for key, tensor in direction.items()})
    close(both, torch.stack([layer_matrix(layer, direction), -layer_matrix(layer, direction)]))
    close(inner_products(layer, captured, delta, both), torch.stack([products, -products]))
    for key, tensor in layer_tensors(layer, layer_matrix(layer, direction)).items():
        close(tensor, direction[key])


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("formed", [True, False])
def test_gradients_say_the_same_whether_formed_or_not(name: str, formed: bool) -> None:
    build, shape, short = LAYERS[name]
    torch.manual_seed(0)
    layer = build().double()
    inputs, weights = torch.randn(7, *shape, dtype=torch.float64), torch.randn(7, dtype=torch.float64)
    delta = torch.randn_like(layer(inputs)).detach()
    each = gradients_of(layer, inputs, delta)
    direction = {key: torch.randn_like(gradient[0]) for key, gradient in each.items()}
    gradients = LayerGradients(layer, Captured(inputs, None, {}, 7), delta)
    if formed:
        squares = sum(gradient.flatten(1).square().sum(dim=1) for gradient in each.values())
        close(gradients.squared_lengths(), squares)
        gradients = gradients.to_keep()
    assert (gradients.flat is not None) is (short and formed)
    if gradients.flat is not None:
        assert gradients.n_bytes(inputs) == gradients.flat.numel() * 8
        assert not len(gradients.delta)
        assert not len(gradients.captured.input)
    else:
        assert gradients.n_bytes(inputs) == delta.numel() * 8  # what the data holds anyway
        assert gradients.n_bytes(inputs.clone()) == (inputs.numel() + delta.numel()) * 8

    close(gradients.products(direction), sum((each[k] * direction[k]).flatten(1).sum(dim=1) for k in each))
    for key, tensor in gradients.weighted_sum(weights, direction).items():
        close(tensor, torch.tensordot(weights, each[key], dims=1))


NORMALISATIONS = {
    "groups": (lambda: nn.GroupNorm(2, 4), (4, 3, 3)),
    "groups without positions": (lambda: nn.GroupNorm(2, 4), (4,)),
    "tokens": (lambda: nn.LayerNorm(5), (3, 5)),
    "tokens without bias": (lambda: nn.LayerNorm((3, 5), bias=False), (2, 3, 5)),
    "whole examples": (lambda: nn.LayerNorm((3, 5)), (3, 5)),
    "batches of vectors": (lambda: nn.BatchNorm1d(4), (4,)),
    "batches of series": (lambda: nn.BatchNorm1d(4), (4, 6)),
    "batches of images": (lambda: nn.BatchNorm2d(4), (4, 3, 2)),
    "batches of volumes": (lambda: nn.BatchNorm3d(4), (4, 3, 2, 2)),
}


@pytest.mark.parametrize("name", NORMALISATIONS)
def test_gradients_of_layers_that_normalise(name: str) -> None:
    build, shape = NORMALISATIONS[name]
    torch.manual_seed(0)
    layer = build().double()
    for tensor in [*layer.parameters(), *layer.buffers()]:
        tensor.data = 1 + torch.rand_like(tensor, dtype=torch.float64)
    layer.eval()
    inputs, delta = torch.randn(2, 7, *shape, dtype=torch.float64)
    captured = Captured(inputs, None, dict(layer.named_buffers()), 7)
    each = gradients_of(layer, inputs, delta)

    assert is_normalisation(layer)
    gradients = normalisation_gradients(layer, captured, delta)
    assert gradients.keys() == each.keys()
    for key, gradient in each.items():
        close(gradients[key], gradient.flatten(1))
    close(squared_layer_norms(layer, captured, delta), sum(g.flatten(1).square().sum(dim=1) for g in each.values()))


def test_what_takes_the_statistics_of_the_batch_has_no_gradients_of_its_own() -> None:
    assert not is_normalisation(nn.BatchNorm2d(4, track_running_stats=False))


def gradients_of(layer: nn.Module, inputs: Tensor, delta: Tensor) -> dict[str, Tensor]:
    """Gradient of <delta_i, layer(x_i)> by each parameter: [b, ...]."""

    def inner_product(values: dict[str, Tensor], x: Tensor, d: Tensor) -> Tensor:
        return (functional_call(layer, values, (x[None],))[0] * d).sum()

    parameters = {key: parameter.detach() for key, parameter in layer.named_parameters()}
    return vmap(grad(inner_product), in_dims=(None, 0, 0))(parameters, inputs, delta)


def close(actual: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(actual, expected, rtol=1e-10, atol=1e-10)


def test_a_batch_is_let_go_of_before_the_next_is_made() -> None:
    case = make_case("cnn")
    layers = layers_run_once(case.model, case.state, case.train.inputs[:2])
    assert layers is not None
    made: list[weakref.ref[Tensor]] = []
    alive = []

    def loss(logits: Tensor, labels: Tensor) -> Tensor:
        alive.append([tensor() is not None for tensor in made])
        return cross_entropy(logits, labels)

    batches = batches_of(case.model, case.state, *case.train, 20)
    for batch in output_gradient_batches(case.model, case.state, layers, batches, loss):
        assert set(batch) == set(layers)
        made.append(weakref.ref(batch["0"][1]))
        assert made[-1]() is not None
    assert alive == [[], [False]]
