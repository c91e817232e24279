"""mixed_columns: rows of numbers, dates and categories; scaled and encoded as the training rows say."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from heft.data.fields.arrays import array_of
from heft.data.fields.names import names_of
from heft.data.modalities.declare import Modality, Shown, modality
from heft.data.near.tables import similar_rows
from heft.data.tables.digest import digest_of_values
from heft.data.tables.layout import Layout
from heft.data.tables.surprise import surprise_of
from heft.data.tables.transform import fit_columns, transform
from heft.errors import HeftError

if TYPE_CHECKING:
    from torch import Tensor

N_SHOWN = 6  # values of a row
MISSING = "missing"


@modality(axes=["columns"], from_axes=False)
@dataclass(frozen=True)
class MixedColumns(Modality):
    """A row is float64 [columns], NaN where a value is missing; of a category it holds the place among its words.

    names: of the columns. categories: the words of each column that holds some. dates: columns of days since
    1970-01-01. with_missing: columns in which some value is missing. max_categories: the number of columns that a model
    has for the categories of one; the frequent ones have their own. scaling: of numbers and dates, by mean and standard
    deviation, or by ranks to a normal distribution. left_out: columns that are not in here, each with the reason.
    """

    is_fitted: ClassVar[bool] = True
    duplicates = "together"

    names: Sequence[str] = ()
    categories: Mapping[str, Sequence[str]] = field(default_factory=dict)
    dates: Sequence[str] = ()
    with_missing: Sequence[str] = ()
    max_categories: int = 50
    scaling: str = "standard"
    left_out: Mapping[str, str] = field(default_factory=dict)
    fitted: Mapping[str, Any] | None = None

    def check(self, inputs: Any) -> np.ndarray:
        """Float64 [n, columns], finite or NaN, and of categories a place among their words."""
        array = array_of(inputs, "inputs")
        if array.ndim != 2 or array.shape[1] != len(self.names) or array.dtype != np.float64:
            raise HeftError(
                f"inputs have shape {array.shape} and type {array.dtype}; expected float64 of shape "
                f"[n, {len(self.names)}], a value for each name."
            )
        most = np.array([len(self.categories.get(name, ())) or np.inf for name in self.names])
        wrong = np.isinf(array) | ((array >= most) | (array < 0) | (array != np.floor(array))) & np.isfinite(most)
        for row, column in np.argwhere(wrong & ~np.isnan(array))[:1]:
            raise HeftError(
                f"row {row} holds {array[row, column]} in {self.names[column]}; expected NaN or "
                + (f"0 to {most[column] - 1:.0f}." if np.isfinite(most[column]) else "a finite number.")
            )
        return array

    def facts(self, input_shape: Sequence[int]) -> dict[str, Any]:
        """All keywords but `fitted`."""
        names = names_of(self.names, "names", least=1)
        if list(input_shape) != [len(names)]:
            raise HeftError(f"names has {len(names)} entries; expected one for each of {list(input_shape)} columns.")
        return {
            "names": names,
            "categories": {name: list(words) for name, words in self.categories.items()},
            "dates": list(self.dates),
            "with_missing": list(self.with_missing),
            "max_categories": self.max_categories,
            "scaling": self.scaling,
            "left_out": dict(self.left_out),
        }

    def columns(self, inputs: np.ndarray) -> dict[str, dict[str, str]]:
        """Each column, those that are left out too."""
        kinds = {**dict.fromkeys(self.categories, "categorical"), **dict.fromkeys(self.dates, "date")}
        kept = {
            name: {
                "kind": kinds.get(name, "numeric"),
                "values": digest_of_values(inputs[:, column], self.categories.get(name)),
            }
            for column, name in enumerate(self.names)
        }
        return {**kept, **{name: {"kind": "left out", "values": ""} for name in self.left_out}}

    def hash(self, example: np.ndarray) -> str:
        """SHA-256 of numbers and words by the names of their columns: neither the order of columns nor a further
        category changes it."""
        content = example + 0.0  # no negative zero
        bits = content.view(np.uint64)
        for column, words in self._digests:
            if not np.isnan(content[column]):
                bits[column] = words[int(content[column])]
        return hashlib.sha256(bits[self._by_name].tobytes()).hexdigest()

    def model_shape(self, input_shape: Sequence[int]) -> list[int]:
        """One number for each numeric column, each column with missing numbers and each category."""
        return [self._layout.width]

    def fit(self, rows: np.ndarray) -> dict[str, Any]:
        """What scikit-learn's transformers learn of these rows [n, columns], as plain values."""
        return fit_columns(self._layout, np.asarray(rows), self.scaling)

    def batch(self, rows: "Tensor") -> "Tensor":
        """Float32 [n, width]; raises HeftError where nothing was fitted."""
        import torch

        if self.fitted is None:
            raise HeftError("mixed_columns are scaled by what was fitted on training rows, and nothing was.")
        return torch.from_numpy(transform(self._layout, self.fitted, rows.numpy()))

    def near_duplicates(self, inputs: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Pairs of places in `rows` whose numbers are equal but for rounding, and whose categories are equal."""
        return similar_rows(inputs, rows)

    def show(self, inputs: np.ndarray, rows: Sequence[int]) -> list[Shown]:
        """The most surprising values of each row, categories as words and dates as dates."""
        chosen = np.asarray(inputs[list(rows)])
        each = [
            surprise_of(inputs[:, column], chosen[:, column], name in self.categories)
            for column, name in enumerate(self.names)
        ]
        largest = np.argsort(-np.stack(each, axis=1), axis=1, kind="stable")[:, :N_SHOWN]
        return [
            Shown(values=[(self.names[column], self._word(column, values[column])) for column in places])
            for values, places in zip(chosen, largest, strict=True)
        ]

    def _word(self, column: int, value: float) -> str:
        name = self.names[column]
        if np.isnan(value):
            return MISSING
        if name in self.categories:
            return self.categories[name][int(value)]
        if name in self.dates:
            return str(np.datetime64(0, "s") + np.timedelta64(round(value * 86400), "s")).removesuffix("T00:00:00")
        return f"{value:.6g}"

    @cached_property
    def _layout(self) -> Layout:
        return Layout.of(self.names, self.categories, self.with_missing, self.max_categories)

    @cached_property
    def _digests(self) -> list[tuple[int, np.ndarray]]:
        """The place of each column of categories, and for each of its words the first 64 bits of its SHA-256."""
        digests = {
            name: b"".join(hashlib.sha256(word.encode()).digest()[:8] for word in words)
            for name, words in self.categories.items()
        }
        return [(self.names.index(name), np.frombuffer(digest, np.uint64)) for name, digest in digests.items()]

    @cached_property
    def _by_name(self) -> list[int]:
        """The places of the columns, in the order of their names."""
        return sorted(range(len(self.names)), key=lambda column: self.names[column])
