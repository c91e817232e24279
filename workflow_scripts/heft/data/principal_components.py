"""Directions of largest variance of a data set's inputs; the memory grows neither with n nor with an input squared."""

from collections.abc import Iterator

import numpy as np

N_COMPONENTS = 20  # of which neighbours are found
ROWS_AT_ONCE = 1000
LARGEST_MATRIX = 2048  # numbers an input; of longer ones no covariance matrix is held
FURTHER = 20  # directions that are iterated with the wanted ones, so that these converge quickly
ITERATIONS = 30
TOLERANCE = 1e-10  # of the variances, relative to the largest


def principal_components(inputs: np.ndarray) -> np.ndarray:
    """Coordinates [n, at most 20] along the directions of largest variance of the flattened inputs, in float64."""
    flat = inputs.reshape(len(inputs), -1)
    mean: np.ndarray = np.asarray(flat.mean(axis=0, dtype=np.float64))
    exact = flat.shape[1] <= LARGEST_MATRIX
    directions = _exact_directions(flat, mean) if exact else _iterated_directions(flat, mean)
    return np.concatenate([block @ directions for block in _centred(flat, mean)])


def _exact_directions(flat: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """Eigenvectors [d, at most 20] of the covariance, by decreasing variance."""
    covariance = np.zeros((flat.shape[1], flat.shape[1]))
    for block in _centred(flat, mean):
        covariance += block.T @ block
    _, directions = np.linalg.eigh(covariance)
    return directions[:, ::-1][:, :N_COMPONENTS]


def _iterated_directions(flat: np.ndarray, mean: np.ndarray) -> np.ndarray:
    """The same by subspace iteration with Rayleigh-Ritz (Halko et al. 2011), which holds [d, 40] numbers."""
    n_kept = min(N_COMPONENTS + FURTHER, *flat.shape)
    moved = np.random.default_rng(0).standard_normal((flat.shape[1], n_kept))
    before = np.zeros(n_kept)
    for _ in range(ITERATIONS):
        basis, _ = np.linalg.qr(moved)
        moved = np.zeros_like(basis)
        for block in _centred(flat, mean):
            moved += block.T @ (block @ basis)
        variances, rotation = np.linalg.eigh(basis.T @ moved)
        if abs(variances - before)[-N_COMPONENTS:].max() <= TOLERANCE * variances[-1]:
            break
        before = variances
    directions: np.ndarray = basis @ rotation[:, ::-1][:, :N_COMPONENTS]
    return directions


def _centred(flat: np.ndarray, mean: np.ndarray) -> Iterator[np.ndarray]:
    for first in range(0, len(flat), ROWS_AT_ONCE):
        yield flat[first : first + ROWS_AT_ONCE].astype(np.float64) - mean
