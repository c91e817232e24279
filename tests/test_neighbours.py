"""Votes of the nearest neighbours are those of scikit-learn, whatever the blocks, the order of the rows and ties."""

import numpy as np
import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from heft.errors import HeftError
from heft.kernels import neighbours
from heft.kernels.neighbours import neighbour_shares

N, N_CLASSES = 60, 4


def random_examples(n: int = N) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.randint(N_CLASSES, (n,), generator=generator)
    return torch.randn(n, 2, 3, generator=generator) + labels[:, None, None], labels


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("k", [1, 7, N - 1])
def test_shares_are_those_of_scikit_learns_neighbours(metric: str, k: int) -> None:
    inputs, labels = random_examples()
    flat = inputs.flatten(1).double().numpy()
    near = NearestNeighbors(n_neighbors=k + 1, algorithm="brute", metric=metric).fit(flat).kneighbors(flat)[1]
    assert (near[:, 0] == np.arange(N)).all()
    expected = [np.bincount(labels.numpy()[row[1:]], minlength=N_CLASSES) / k for row in near]
    shares = neighbour_shares(inputs, labels, N_CLASSES, k, metric)  # type: ignore[arg-type]
    np.testing.assert_allclose(shares.numpy(), expected, atol=1e-12)


def test_neighbours_are_held_in_blocks_of_bounded_size(monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, labels = random_examples()
    whole = neighbour_shares(inputs, labels, N_CLASSES, 5)
    sizes, original = [], torch.addmm

    def addmm(*arguments: torch.Tensor) -> torch.Tensor:
        sizes.append(original(*arguments).numel() * 4)
        return original(*arguments)

    monkeypatch.setattr(neighbours, "BLOCK_BYTES", 7 * N * 4 + 3)
    monkeypatch.setattr(torch, "addmm", addmm)
    assert torch.equal(neighbour_shares(inputs, labels, N_CLASSES, 5), whole)
    assert sizes == [7 * N * 4] * 8 + [4 * N * 4]


def test_what_is_as_near_as_the_last_neighbour_shares_the_rest() -> None:
    inputs = torch.tensor([[0.0], [1], [2], [2], [-2], [9]])
    labels = torch.tensor([0, 0, 1, 2, 2, 3])
    shares = neighbour_shares(inputs, labels, N_CLASSES, 3, "euclidean")
    # Around 0 lies 1; then 2, 2 and -2 are equally near, for two places.
    np.testing.assert_allclose(shares[0].numpy(), [1 / 3, 2 / 9, 4 / 9, 0])
    np.testing.assert_allclose(shares.sum(dim=1).numpy(), 1)


def test_the_order_of_the_rows_changes_nothing_even_among_equal_examples() -> None:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randint(3, (N, 2), generator=generator).double()
    labels = torch.randint(N_CLASSES, (N,), generator=generator)
    order = torch.randperm(N, generator=generator)
    shares = neighbour_shares(inputs, labels, N_CLASSES, 5, "euclidean")
    moved = neighbour_shares(inputs[order], labels[order], N_CLASSES, 5, "euclidean")
    torch.testing.assert_close(moved, shares[order], rtol=0, atol=1e-12)


def test_fewer_others_than_k_all_count_and_an_input_of_length_zero_has_neighbours() -> None:
    inputs = torch.tensor([[0.0, 0], [1, 0], [0, 1]])
    shares = neighbour_shares(inputs, torch.tensor([0, 1, 2]), 3, 20)
    assert shares.tolist() == [[0, 0.5, 0.5], [0.5, 0, 0.5], [0.5, 0.5, 0]]


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
@pytest.mark.parametrize("k", [3, 50])
def test_examples_of_one_unit_are_no_neighbours(metric: str, k: int) -> None:
    inputs, labels = random_examples()
    units = torch.arange(N) // 2
    units[:20] = 0  # who has 40 others, fewer than 50
    shares = neighbour_shares(inputs, labels, N_CLASSES, k, metric, units)  # type: ignore[arg-type]
    flat = inputs.flatten(1).double().numpy()
    for row in range(N):
        others = np.flatnonzero(units != units[row])
        near = NearestNeighbors(n_neighbors=min(k, len(others)), algorithm="brute", metric=metric).fit(flat[others])
        chosen = others[near.kneighbors(flat[[row]])[1][0]]
        expected = np.bincount(labels.numpy()[chosen], minlength=N_CLASSES) / len(chosen)
        np.testing.assert_allclose(shares[row].numpy(), expected, atol=1e-12)
    with pytest.raises(HeftError, match="all 60 examples are of one group, in which none counts as another's neighbou"):
        neighbour_shares(inputs, labels, N_CLASSES, k, "cosine", torch.ones(N))
