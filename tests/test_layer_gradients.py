"""Gradients that are kept from one pass to the next: the same numbers, and no pass more than is needed."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
import torch
from attribution_cases import N_TRAIN, make_case
from torch import Tensor

from heft.kernels.layers import layer_gradients
from heft.kernels.layers.capture import batches_of, layers_run_once
from heft.kernels.losses import cross_entropy
from heft.registry import declarations

N_BATCHES = -(-N_TRAIN // 5)


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Batches of five; the length of each batch whose gradients are made."""
    lengths: list[int] = []
    make = layer_gradients.output_gradient_batches

    def counted(*arguments: Any) -> Iterator[Any]:
        for batch in make(*arguments):
            lengths.append(len(next(iter(batch.values()))[1]))
            yield batch

    monkeypatch.setattr(layer_gradients, "batches_of", partial(batches_of, batch_size=5))
    monkeypatch.setattr(layer_gradients, "output_gradient_batches", counted)
    return lengths


def datainf(model: str) -> Tensor:
    scores: Tensor = declarations("methods")["datainf"].load()(make_case(model).context())
    return scores


@pytest.mark.parametrize("model", ["mlp", "cnn", "batch_norm"])
def test_datainf_is_the_same_however_much_is_kept(monkeypatch: pytest.MonkeyPatch, made: list[int], model: str) -> None:
    everything = datainf(model)
    assert len(made) == N_BATCHES
    assert sum(made) == N_TRAIN

    made.clear()
    monkeypatch.setattr(layer_gradients, "MOST_KEPT", 0)
    nothing = datainf(model)
    assert len(made) == 3 * N_BATCHES
    assert sum(made) == 3 * N_TRAIN
    assert (nothing - everything).abs().max() <= 1e-12 * everything.abs().max()

    monkeypatch.setattr(layer_gradients, "MOST_KEPT", 2.5 * bytes_of_a_batch(model))
    made.clear()
    some = datainf(model)
    assert sum(made) == 3 * N_TRAIN - 2 * 10  # two batches of five were kept for the second and third pass
    assert (some - everything).abs().max() <= 1e-12 * everything.abs().max()


def bytes_of_a_batch(model: str) -> int:
    case = make_case(model)
    layers = layers_run_once(case.model, case.state, case.train.inputs[:2])
    assert layers is not None
    first = next(layer_gradients.by_layers(case.model, case.state, layers, cross_entropy, *case.train))
    for gradients in first.values():
        gradients.squared_lengths()
    return sum(gradients.n_bytes(case.train.inputs) for gradients in first.values())


def test_whole_gradients_are_kept_by_the_bytes_that_they_hold() -> None:
    held = {"weight": torch.zeros(3, 2, 5, dtype=torch.float64), "bias": torch.zeros(3, 2, dtype=torch.float32)}
    assert layer_gradients.WholeGradients(held).n_bytes(torch.zeros(3)) == 3 * 10 * 8 + 3 * 2 * 4
