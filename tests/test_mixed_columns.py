"""Mixed columns as a model sees them are scikit-learn's own, however nasty the table and its training split."""

from typing import Any

import numpy as np
import pytest
import torch
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer, StandardScaler

from heft.data.modalities.declare import as_a_model_sees, read_back, written
from heft.data.modalities.mixed_columns import MixedColumns
from heft.errors import HeftError

MOST = 6


def nasty(n: int, seed: int) -> np.ndarray:
    """Two numbers with some missing, one that is missing in most rows, one of few values, one of wide range; a category
    of many, one of two with some missing, and one that is rare but for one word."""
    draw = np.random.default_rng(seed)
    rows = np.stack(
        [
            np.where(draw.random(n) < 0.2, np.nan, draw.normal(1e6, 1e-3, n)),
            np.where(draw.random(n) < 0.1, np.nan, draw.exponential(1, n)),
            np.where(draw.random(n) < 0.98, np.nan, draw.normal(size=n)),
            draw.integers(0, 2, n).astype(float),
            draw.standard_cauchy(n) * 10.0 ** draw.integers(-30, 30, n),
            draw.geometric(0.1, n).clip(1, 40) - 1.0,
            np.where(draw.random(n) < 0.1, np.nan, draw.integers(0, 2, n)),
            np.where(draw.random(n) < 0.97, 3.0, draw.integers(0, 5, n)),
        ],
        axis=1,
    )
    return rows


def of_nasty(scaling: str = "standard") -> MixedColumns:
    return MixedColumns(
        names=list("abcdefgh"),
        categories={"f": [f"f{k:02d}" for k in range(40)], "g": ["no", "yes"], "h": list("vwxyz")},
        with_missing=["a", "b", "c", "g"],
        max_categories=MOST,
        scaling=scaling,
    )


def of_scikit_learn(scaling: str) -> ColumnTransformer:
    scaler = StandardScaler()
    if scaling == "quantiles":
        scaler = QuantileTransformer(n_quantiles=60, output_distribution="normal", random_state=0)
    encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MOST, sparse_output=False)
    numeric = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), scaler)
    return ColumnTransformer(
        [("numbers", numeric, [0, 1, 2, 3, 4]), ("gone", MissingIndicator(features="all"), [0, 1, 2])]
        + [(name, encoder, [column]) for name, column in zip("fgh", (5, 6, 7), strict=True)]
    )


def transformed(modality: MixedColumns, train: np.ndarray, rows: np.ndarray) -> np.ndarray:
    facts = written(modality, rows.shape[1:])
    fitted = read_back(facts, modality.fit(train))
    return fitted.batch(torch.from_numpy(rows)).numpy()


@pytest.mark.filterwarnings("ignore:Found unknown categories:UserWarning")
@pytest.mark.parametrize("scaling", ["standard", "quantiles"])
@pytest.mark.parametrize("seed", range(6))
def test_what_a_model_sees_is_what_scikit_learn_makes_of_the_training_split(scaling: str, seed: int) -> None:
    rows = nasty(300, seed)
    modality = of_nasty(scaling)
    reference = of_scikit_learn(scaling).fit(rows[:60])
    expected = reference.transform(rows)
    given = transformed(modality, rows[:60], rows)
    assert (given.dtype, list(given.shape[1:])) == (np.float32, modality.model_shape((8,)))
    assert given.shape[1] == 5 + 3 + MOST + 3 + 5
    starts = {"numbers": 0, "gone": 5, "f": 8, "g": 8 + MOST, "h": 11 + MOST}
    compared = np.zeros(given.shape[1], bool)
    for name, place in reference.output_indices_.items():
        if name in starts:
            part = slice(starts[name], starts[name] + place.stop - place.start)
            np.testing.assert_allclose(given[:, part], expected[:, place], rtol=3e-7, atol=1e-6)
            compared[part] = True
    assert (given[:, ~compared] == 0).all()


def test_the_width_is_that_of_each_split_and_a_category_that_training_lacks_is_zeros() -> None:
    rows = nasty(200, 0)
    one = rows.copy()
    one[:100, 5:] = 1.0
    one[100:, 5:] = 2.0, 0.0, np.nan
    given = transformed(of_nasty(), one[:100], one)
    assert given.shape == (200, of_nasty().model_shape((8,))[0])
    assert (given[:100, [8, 8 + MOST, 11 + MOST]] == 1).all()
    assert (given[100:, 8:] == 0).all()


def test_a_table_of_one_kind_of_columns_is_transformed() -> None:
    numbers = MixedColumns(["a"], with_missing=["a"])
    rows = np.array([[1.0], [np.nan], [3.0]])
    np.testing.assert_allclose(transformed(numbers, rows[[0, 2]], rows), [[-1, 0], [0, 1], [1, 0]])
    words = MixedColumns(["a"], {"a": ["x", "y"]})
    assert transformed(words, np.array([[0.0], [1.0]]), np.array([[1.0], [0.0]])).tolist() == [[0, 1], [1, 0]]
    with pytest.raises(HeftError, match="nothing was"):
        words.batch(torch.zeros(1, 1))


def test_distances_are_of_what_a_model_sees_when_all_rows_are_fitted_on() -> None:
    rows = nasty(100, 1)
    seen = as_a_model_sees(written(of_nasty(), (8,)), rows)
    assert np.array_equal(seen, transformed(of_nasty(), rows, rows))
    assert np.isfinite(seen).all()


def test_a_hash_is_of_the_words_and_of_the_numbers() -> None:
    before, after = (MixedColumns(["n", "c"], {"c": words}) for words in (["b", "d"], ["a", "b", "d"]))
    assert before.hash(np.array([0.5, 1])) == after.hash(np.array([0.5, 2]))
    hashes = [after.hash(np.array(row)) for row in ([0.5, 0], [0.5, 1], [0.5, np.nan], [np.nan, 0], [0.25, 0])]
    assert len(set(hashes)) == 5
    turned = MixedColumns(["c", "n"], {"c": ["a", "b", "d"]})
    assert turned.hash(np.array([2, 0.5])) == after.hash(np.array([0.5, 2]))
    assert after.hash(np.array([0.0, 0])) == after.hash(np.array([-0.0, 0]))


def test_a_row_is_shown_by_its_most_surprising_values_in_words_and_dates() -> None:
    draw = np.random.default_rng(0)
    rows = np.stack([draw.normal(size=400) for _ in range(8)], axis=1)
    rows[:, 1] = draw.integers(0, 2, 400)
    rows[:, 2] = 18000 + draw.integers(0, 30, 400)
    rows[5] = [0, 2, 18200.5, 9.87654321, np.nan, 0, 0, 0]
    modality = MixedColumns(list("abcdefgh"), {"b": ["no", "yes", "maybe, once"]}, ["c"], ["e"])
    (shown,) = modality.show(rows, [5])
    assert set(shown.values[:4]) == {
        ("b", "maybe, once"),
        ("c", "2019-10-31T12:00:00"),
        ("d", "9.87654"),
        ("e", "missing"),
    }
    assert len(shown.values) == 6
    assert ("c", "2019-04-14") in modality.show(np.where(np.arange(8) == 2, 18000.0, rows), [5])[0].values


MISTAKES: list[tuple[Any, str]] = [
    (np.zeros((2, 2), np.float32), "inputs have shape (2, 2) and type float32; expected float64 of shape [n, 2]"),
    (np.zeros((2, 3)), "inputs have shape (2, 3) and type float64; expected float64 of shape [n, 2]"),
    (np.array([[0.0, 0], [1, 2]]), "row 1 holds 2.0 in c; expected NaN or 0 to 1."),
    (np.array([[0.0, 0.5]]), "row 0 holds 0.5 in c; expected NaN or 0 to 1."),
    (np.array([[0.0, 0], [np.inf, 0]]), "row 1 holds inf in n; expected NaN or a finite number."),
]


@pytest.mark.parametrize(("inputs", "sentence"), MISTAKES)
def test_inputs_that_are_no_such_rows_are_one_sentence(inputs: np.ndarray, sentence: str) -> None:
    with pytest.raises(HeftError) as error:
        MixedColumns(["n", "c"], {"c": ["x", "y"]}).check(inputs)
    assert str(error.value).startswith(sentence)
