"""scikit-learn's transformers for mixed columns: fitted on training rows, kept as plain values, applied by numpy.

What `transform` returns are the numbers of scikit-learn's own `transform` as float32, in the order of a `Layout`: where
scikit-learn has fewer columns for the categories of a column, since a training split lacks some, zeros follow.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from heft.data.tables.layout import CategoryBlock, Layout

N_QUANTILES = 1000
# Of QuantileTransformer: how near to the least and the largest value one is taken for it, and where the ends are cut.
BOUND = 1e-7


def fit_columns(layout: Layout, rows: np.ndarray, scaling: str) -> dict[str, Any]:
    """What median imputation, scaling and one-hot encoding learn of `rows` [n, columns], as plain values.

    fill: the medians. mean, scale: of StandardScaler; or quantiles [n_quantiles, numeric columns] of
    QuantileTransformer. categories: {column: {own: codes with a column of their own, shared: codes that share the next
    one}}; the code of a missing value is the number of words.
    """
    from sklearn.impute import SimpleImputer
    from sklearn.preprocessing import OneHotEncoder

    fitted: dict[str, Any] = {"categories": {}}
    if layout.numeric:
        imputer = SimpleImputer(strategy="median", keep_empty_features=True).fit(rows[:, layout.numeric])
        fitted["fill"] = imputer.statistics_.tolist()
        fitted |= _fit_scaling(imputer.transform(rows[:, layout.numeric]), scaling)
    for block in layout.blocks:
        encoder = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=layout.max_categories)
        encoder.fit(rows[:, [block.column]])
        shared = encoder.infrequent_categories_[0]
        codes = {"all": encoder.categories_[0], "shared": np.array([]) if shared is None else shared}
        whole = {name: np.where(np.isnan(part), block.n_words, part).astype(int) for name, part in codes.items()}
        own = [code for code in whole["all"].tolist() if code not in set(whole["shared"].tolist())]
        fitted["categories"][block.name] = {"own": own, "shared": whole["shared"].tolist()}
    return fitted


def transform(layout: Layout, fitted: Mapping[str, Any], rows: np.ndarray) -> np.ndarray:
    """Float32 [n, layout.width] of `rows`, float64 [n, columns], by what `fit_columns` returned."""
    out = np.zeros((len(rows), layout.width), np.float32)
    n_numeric, n_missing = len(layout.numeric), len(layout.with_missing)
    if layout.numeric:
        numbers = rows[:, layout.numeric]
        out[:, :n_numeric] = _scaled(np.where(np.isnan(numbers), np.array(fitted["fill"]), numbers), fitted)
        out[:, n_numeric : n_numeric + n_missing] = np.isnan(rows[:, layout.with_missing])
    for block in layout.blocks:
        places = _places(block, **fitted["categories"][block.name])
        codes = rows[:, block.column]
        place = places[np.where(np.isnan(codes), block.n_words, codes).astype(np.int64)]
        encoded = np.flatnonzero(place >= 0)
        out[encoded, block.start + place[encoded]] = 1
    return out


def _places(block: CategoryBlock, own: list[int], shared: list[int]) -> np.ndarray:
    """The column of each code within its block, int64 [n_words + 1]; -1 where no column says anything of it."""
    places = np.full(block.n_words + 1, len(own) if shared else -1)
    places[own] = np.arange(len(own))
    return places


def _fit_scaling(numbers: np.ndarray, scaling: str) -> dict[str, Any]:
    from sklearn.preprocessing import QuantileTransformer, StandardScaler

    if scaling == "quantiles":
        n_quantiles = min(N_QUANTILES, len(numbers))
        fitted = QuantileTransformer(n_quantiles=n_quantiles, output_distribution="normal", random_state=0).fit(numbers)
        return {"quantiles": fitted.quantiles_.tolist()}
    fitted = StandardScaler().fit(numbers)
    return {"mean": fitted.mean_.tolist(), "scale": fitted.scale_.tolist()}


def _scaled(numbers: np.ndarray, fitted: Mapping[str, Any]) -> np.ndarray:
    if "quantiles" not in fitted:
        scaled: np.ndarray = (numbers - np.array(fitted["mean"])) / np.array(fitted["scale"])
        return scaled
    quantiles = np.array(fitted["quantiles"])
    columns = [_normal_scores(numbers[:, column], quantiles[:, column]) for column in range(numbers.shape[1])]
    return np.stack(columns, axis=1)


def _normal_scores(numbers: np.ndarray, quantiles: np.ndarray) -> np.ndarray:
    """QuantileTransformer's normal scores: the mean of interpolating from below and from above, where values repeat."""
    from scipy.special import ndtri

    references = np.linspace(0, 1, len(quantiles))
    upwards = np.interp(numbers, quantiles, references)
    downwards = -np.interp(-numbers, -quantiles[::-1], -references[::-1])
    ranks = (upwards + downwards) / 2
    ranks[numbers + BOUND > quantiles[-1]] = 1
    ranks[numbers - BOUND < quantiles[0]] = 0
    end = BOUND - np.spacing(1)
    scores: np.ndarray = np.clip(ndtri(ranks), ndtri(end), ndtri(1 - end))
    return scores
