"""Planted label noise."""

import numpy as np
import pytest

from heft.data.noise import plant_noise
from heft.data.principal_components import principal_components
from heft.data.settings import NoiseSettings
from heft.errors import HeftError

N_CLASSES = 5


def cloud(n: int = 500, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """True labels, and inputs in which each class is a cloud of its own."""
    generator = np.random.default_rng(seed)
    labels = np.arange(n) % N_CLASSES
    centres = 3 * generator.standard_normal((N_CLASSES, 30))
    return labels, (centres[labels] + generator.standard_normal((n, 30))).reshape(n, 1, 5, 6).astype(np.float32)


def plant(kind: str, rate: float, seed: int = 0, n: int = 500) -> tuple[np.ndarray, np.ndarray]:
    labels, inputs = cloud(n)
    return labels, plant_noise(labels, inputs, NoiseSettings(kind, rate), N_CLASSES, seed)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["symmetric", "pairs", "clustered"])
@pytest.mark.parametrize("rate", [0.013, 0.0134, 0.1, 0.3, 0.3336, 0.777])
def test_exactly_round_rate_times_n_labels_are_wrong(kind: str, rate: float) -> None:
    for seed in range(3):
        labels, given = plant(kind, rate, seed)
        assert int((given != labels).sum()) == round(rate * len(labels))
        assert given.dtype == labels.dtype
        assert set(given) <= set(range(N_CLASSES))


@pytest.mark.parametrize("kind", ["symmetric", "pairs", "clustered"])
def test_the_same_seed_plants_the_same_labels_and_another_seed_others(kind: str) -> None:
    assert np.array_equal(plant(kind, 0.3, 1)[1], plant(kind, 0.3, 1)[1])
    assert not np.array_equal(plant(kind, 0.3, 1)[1], plant(kind, 0.3, 2)[1])


def test_planting_leaves_the_global_generator_and_the_true_labels_alone() -> None:
    labels, inputs = cloud()
    before, state = labels.copy(), np.random.get_state()[1].copy()  # type: ignore[index, union-attr]
    for kind in ("symmetric", "pairs", "clustered"):
        plant_noise(labels, inputs, NoiseSettings(kind, 0.3), N_CLASSES, 0)  # type: ignore[arg-type]
    assert np.array_equal(labels, before)
    assert np.array_equal(np.random.get_state()[1], state)  # type: ignore[index]


def test_none_plants_nothing() -> None:
    labels, given = plant("none", 0.3)
    assert np.array_equal(labels, given)


def test_symmetric_noise_reaches_every_other_class_equally_often() -> None:
    labels, given = plant("symmetric", 0.8, n=10000)
    shifts = np.bincount((given - labels) % N_CLASSES, minlength=N_CLASSES)
    assert shifts[0] == 2000
    assert (abs(shifts[1:] - 2000) < 200).all()


@pytest.mark.parametrize("rate", [0.3, 0.013, 0.333])
def test_pair_noise_shifts_by_one_and_takes_the_same_share_of_each_class(rate: float) -> None:
    labels, given = plant("pairs", rate)
    wrong = given != labels
    assert (given[wrong] == (labels[wrong] + 1) % N_CLASSES).all()
    per_class = np.bincount(labels[wrong], minlength=N_CLASSES)
    assert per_class.max() - per_class.min() <= 1


def test_clustered_noise_has_neighbours_that_are_wrong_together() -> None:
    labels, inputs = cloud()
    flat = inputs.reshape(len(inputs), -1)
    distances = ((flat[:, None] - flat[None]) ** 2).sum(-1)
    np.fill_diagonal(distances, np.inf)
    nearest = np.argsort(distances, axis=1)[:, :5]

    def share_of_neighbours_with_the_same_wrong_label(kind: str) -> float:
        given = plant(kind, 0.2)[1]
        wrong = np.flatnonzero(given != labels)
        return float((given[nearest[wrong]] == given[wrong][:, None]).mean())

    clustered, symmetric = map(share_of_neighbours_with_the_same_wrong_label, ("clustered", "symmetric"))
    assert clustered > 4 * symmetric


def test_principal_components_are_the_coordinates_along_the_directions_of_largest_variance() -> None:
    generator = np.random.default_rng(0)
    inputs = (generator.standard_normal((200, 25)) * np.geomspace(10, 0.1, 25)) @ np.linalg.qr(
        generator.standard_normal((25, 25))
    )[0] + 7
    left, singular, _ = np.linalg.svd(inputs - inputs.mean(0), full_matrices=False)
    components = principal_components(inputs.reshape(200, 1, 5, 5))
    assert components.shape == (200, 20)
    np.testing.assert_allclose(abs(components), abs(left * singular)[:, :20], atol=1e-8)


def test_a_ball_of_clustered_noise_is_narrow_along_the_direction_of_largest_variance() -> None:
    labels = np.arange(500) % N_CLASSES
    inputs = np.random.default_rng(0).standard_normal((500, 30))
    inputs[:, 3] *= 1000
    given = plant_noise(labels, inputs.reshape(500, 1, 5, 6), NoiseSettings("clustered", 0.02), N_CLASSES, 0)
    ball = np.flatnonzero(given != labels)
    assert len(ball) == 10
    assert np.ptp(inputs[ball, 3]) < 0.1 * np.ptp(inputs[:, 3])


def test_a_ball_has_one_class_and_balls_are_a_fiftieth_of_the_examples() -> None:
    for seed in range(5):
        labels, given = plant("clustered", 0.04, seed)
        sizes = np.bincount(given[given != labels])
        assert sizes.sum() == 20
        assert set(sizes) - {0} <= {10, 20}


def test_a_rate_that_comes_to_no_example_is_an_error() -> None:
    with pytest.raises(HeftError, match=r"rate: 0\.0005 of 500 training examples is none"):
        plant("pairs", 0.0005)


def test_principal_components_of_long_inputs_are_the_same_without_a_matrix_of_inputs_squared() -> None:
    generator = np.random.default_rng(0)
    hidden = generator.standard_normal((150, 30)) * np.geomspace(10, 0.1, 30)
    inputs = hidden @ generator.standard_normal((30, 3000)) + 5
    left, singular, _ = np.linalg.svd(inputs - inputs.mean(0), full_matrices=False)
    components = principal_components(inputs.reshape(150, 3, 20, 50))
    np.testing.assert_allclose(abs(components), abs(left * singular)[:, :20], atol=1e-6 * singular[0])
    assert principal_components(inputs[:10]).shape == (10, 10)
