"""Scores that go layer by layer, on every module of the battery: the dense formula, or a sentence naming the layer."""

import re
from typing import Any

import battery
import pytest
import torch
from dense_reference import Reference, close, reference, rounding, scores
from torch import Tensor, nn
from torch.autograd.graph import get_gradient_edge
from torch.nn import functional
from torch.nn.functional import cross_entropy

from heft.errors import HeftError

# Modules with a layer that no Kronecker factors are known of; a sentence names it.
WITHOUT_FACTORS = (
    *("bilinear", "positions", "low_rank", "weight_norm", "orthogonal", "spectral_norm", "conv2d_weight_norm"),
    *("layer_norm_of_function", "attention", "attention_with_dropout", "attention_without_bias", "class_token"),
    *("encoder_layer", "encoder_layer_norm_first", "encoder_layer_with_dropout", "rnn", "gru", "lstm"),
    *("lstm_of_two_layers", "cell", "tied", "registered_twice", "reused", "half_detached", "raw_parameters"),
)
WITH_FACTORS = ("if_kfac", "if_ekfac", "self_if")
SENTENCE = re.compile(r"layers that each run once on examples: |factors are known for Linear")


def groups(it: Reference) -> dict[str, list[int]]:
    """The columns of each layer's moving parameters, by the layer's name."""
    columns: dict[str, list[int]] = {}
    start = 0
    for name, tensor in zip(it.names, it.parameters, strict=True):
        layer = name.rpartition(".")[0].split(".parametrizations.")[0]
        columns.setdefault(layer, []).extend(range(start, start + tensor.numel()))
        start += tensor.numel()
    return columns


@pytest.mark.parametrize(
    ("method", "name"),
    [
        *((method, name) for method in WITH_FACTORS for name in WITHOUT_FACTORS),
        ("outlier_gradient", "raw_parameters"),
    ],
)
def test_a_layer_that_a_method_cannot_take_is_named(method: str, name: str) -> None:
    with pytest.raises(HeftError, match=SENTENCE) as caught:
        scores(method, name)
    said = str(caught.value)
    layers = [layer or "the model itself" for layer, _ in reference(name).module.named_modules()]
    assert any(f"{layer} (" in said for layer in layers) or "parameter " in said, said


@pytest.mark.parametrize("name", battery.WORKING)
def test_datainf_is_the_explicit_mean_of_inverses(name: str) -> None:
    it = reference(name)
    expected = torch.zeros(len(it.gradients), dtype=torch.float64)
    for columns in groups(it).values():
        g, own = it.gradients[:, columns], it.v[columns]
        damping = 0.1 * g.square().sum(1).mean() / g.shape[1]
        weights = (g @ own) / (damping + g.square().sum(1))
        expected += g @ ((own - g.T @ weights / len(g)) / damping)
    close(scores("datainf", name, {}), expected, 2 * rounding(name))


def layer_gradients(it: Reference, layer: str, labels: Tensor | None = None) -> Tensor:
    """G_i [n, out, in (+ 1)] by the moving parts of weight and bias."""
    gradients = it.gradients if labels is None else torch.cat([it.rows(loss[None]) for loss in it.losses(labels)])
    columns, shapes, start = {}, dict(it.module.named_parameters()), 0
    for name, tensor in zip(it.names, it.parameters, strict=True):
        columns[name] = gradients[:, start : start + tensor.numel()]
        start += tensor.numel()
    keys = [f"{layer}.{key}" for key in ("weight", "bias") if f"{layer}.{key}" in columns]
    n_out = len(shapes[keys[0]])
    return torch.cat([columns[key].reshape(len(gradients), n_out, -1) for key in keys], dim=2)


def fisher_labels(name: str) -> Tensor:
    """The labels that a method draws from the model."""
    it = reference(name)
    uniform = torch.rand(len(it.logits), 1, generator=it.context(name).generator("fisher"), dtype=torch.float64)
    cumulated = it.logits.softmax(dim=1).cumsum(dim=1)
    return (cumulated <= uniform * cumulated[:, -1:]).sum(dim=1).clamp(max=battery.N_CLASSES - 1)


def rows_and_deltas(it: Reference, layer: str, labels: Tensor) -> tuple[Tensor, Tensor]:
    """What enters the layer's matrix, with ones for a moving bias [n, t, in (+ 1)], and gradients by its output."""
    module: nn.Module = it.module.get_submodule(layer)
    held: list[Any] = []

    def hold(_module: nn.Module, given: tuple[Tensor, ...], output: Tensor) -> None:
        held.extend((given[0].detach(), get_gradient_edge(output)))  # before it is changed in place

    hook = module.register_forward_hook(hold)
    total = cross_entropy(it.module(it.train.inputs), labels, reduction="sum")
    hook.remove()
    inputs, edge = held
    (delta,) = torch.autograd.grad(total, edge)
    if isinstance(module, nn.Conv2d):
        assert not isinstance(module.padding, str)
        rows = functional.unfold(inputs, module.kernel_size, module.dilation, module.padding, module.stride).mT
        delta = delta.flatten(2).mT
    else:
        rows, delta = (part.reshape(len(part), -1, part.shape[-1]) for part in (inputs, delta))
    ones = torch.ones(*rows.shape[:2], 1, dtype=rows.dtype)
    moving = [part for key, part in (("weight", rows), ("bias", ones)) if f"{layer}.{key}" in it.names]
    return torch.cat(moving, dim=2), delta


FACTORED = [
    name
    for name in battery.WORKING
    if name not in (*WITHOUT_FACTORS, "bfloat16", "conv2d_groups", "conv2d_depthwise", "conv2d_same", "conv2d_valid")
]


@pytest.mark.parametrize("name", FACTORED)
def test_kronecker_factors_give_the_dense_solve(name: str) -> None:
    it = reference(name)
    labels, n = fisher_labels(name), len(it.gradients)
    expected = {method: torch.zeros(n, dtype=torch.float64) for method in WITH_FACTORS}
    for layer in groups(it):
        module = it.module.get_submodule(layer)
        if type(module) is not nn.Linear and not (type(module) is nn.Conv2d and module.padding_mode == "zeros"):
            continue
        rows, delta = rows_and_deltas(it, layer, labels)
        positions = rows.shape[1]
        l_a, right = torch.linalg.eigh((flat := rows.flatten(0, 1).double()).T @ flat / len(flat))
        l_s, left = torch.linalg.eigh((flat := delta.flatten(0, 1).double()).T @ flat / len(flat))
        drawn, given = (left.T @ layer_gradients(it, layer, chosen) @ right for chosen in (labels, None))
        own = layer_gradients(of_validation(it), layer)[0]
        moments = {
            "if_kfac": positions * l_s.clamp(min=0)[:, None] * l_a.clamp(min=0)[None],
            "if_ekfac": drawn.square().mean(0),
        }
        moments["self_if"] = moments["if_ekfac"]
        for method, values in moments.items():
            inverse = 1 / (values + 0.1 * values.mean())
            if method == "self_if":
                expected[method] -= (given.square() * inverse).sum((1, 2))
            else:
                expected[method] += (given * ((left.T @ own @ right) * inverse)).sum((1, 2))
    for method in WITH_FACTORS:
        close(scores(method, name), expected[method], 1e-5 if method != "if_kfac" else 1e-6)


def of_validation(it: Reference) -> Reference:
    """The validation gradient in the place of the training gradients."""
    other = Reference(it.module, it.train, it.validation)
    other.__dict__["gradients"] = it.v[None]
    return other
