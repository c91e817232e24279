"""What a modality declares and does: it says what the inputs of a data set are.

All that is stored of an example is one row of `inputs`: an array [n, ...] of float32, float64 or uint8, or texts. A
modality checks what a source returns, hashes a row, tells near-duplicates, turns rows into what a model is called
with, and shows them to a person. What it turns rows with, such as the mean of a column, may be fitted on the training
split of each seed.

What a model is tried on before training are rows of the data set, so that a model may take its inputs for indices.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

import numpy as np

from heft.data.fields.arrays import inputs_of
from heft.data.near.components import NO_PAIRS
from heft.registry import declarations, find

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor


@dataclass(frozen=True)
class Shown:
    """An example as a person sees it: a picture (a data URI of a PNG), values, each with its name, or a text."""

    picture: str | None = None
    values: Sequence[tuple[str, str]] = ()
    text: str | None = None


class Modality(ABC):
    """A kind of input, with what is known of one data set's inputs, such as the names of its columns.

    Registered by `@modality`. `facts` are written to `manifest.json`; the class called with them is the same modality.
    """

    axes: Sequence[str] = ()
    is_fitted: ClassVar[bool] = False  # whether `fit` returns something
    # Of identical examples, where the configuration does not say: a copy of a picture says nothing new, yet two persons
    # with the same age, job and pay are two.
    duplicates: ClassVar[Literal["one", "together"]] = "one"
    shows_alone: ClassVar[bool] = False  # whether `show` looks at no other rows, so that they need not be read

    def check(self, inputs: Any) -> Any:
        """Inputs [n, *axes], or texts; raises HeftError naming the row and the value where that cannot be."""
        return inputs_of(inputs, self.axes)

    @abstractmethod
    def facts(self, input_shape: Sequence[int]) -> dict[str, Any]:
        """The keywords that make this modality, as plain values; raises HeftError where one does not fit the shape."""

    def hash(self, example: Any) -> str:
        """SHA-256 of the content of one row: examples of the same hash are identical."""
        return hashlib.sha256(example.tobytes()).hexdigest()

    def model_shape(self, input_shape: Sequence[int]) -> list[int]:
        """The shape of an example as a model sees it, for rows of `input_shape`; it is the same for each split."""
        return list(input_shape)

    def fit(self, rows: Any) -> dict[str, Any]:
        """What `batch` needs to know of the training examples, as plain values; these are their rows of `inputs`.

        A class that returns something sets `is_fitted`, and takes it as the keyword `fitted`.
        """
        return {}

    def batch(self, rows: "Tensor") -> "Tensor":
        """What a model is called with for these rows of `inputs` [n, ...]; its first axis is n."""
        return rows

    def near_duplicates(self, inputs: Any, rows: "np.ndarray") -> "np.ndarray":
        """Pairs of places in `rows` [m, 2] whose examples, `inputs[row]`, are nearly the same; by default none."""
        return NO_PAIRS

    def picture_scale(self, n_channels: int) -> tuple[Sequence[float], Sequence[float]] | None:
        """Of pictures mean and standard deviation of each channel: one in 0..1 is what a model is called with, times
        the second, plus the first. `None` where inputs are no pictures."""
        return None

    def columns(self, inputs: Any) -> dict[str, dict[str, str]]:
        """Of a table {name: {kind, values: a digest of the column, whatever the order of rows}}, of others nothing; by
        this `prepare` says what changed. Columns that are left out have a kind alone."""
        return {}

    def raw(self, rows: Any) -> Any:
        """What an encoder is called with for these rows of `inputs`: a tensor [n, ...] or texts, not normalised."""
        return rows

    @abstractmethod
    def show(self, inputs: Any, rows: Sequence[int]) -> list[Shown]:
        """These rows of `inputs` [n, ...] as a person sees them; the other rows may say what is usual."""


Kind = TypeVar("Kind", bound=type[Modality])


def modality(*, axes: Sequence[str], smallest: Sequence[int] = (), from_axes: bool = True) -> Callable[[Kind], Kind]:
    """Registers a class derived from `Modality`.

    axes: names of the axes of an example, those of `inputs` after n. smallest: sizes of the smallest example that
    models of this modality alone take, one for each axis; empty: 1 each. from_axes: whether it is chosen by the number
    of axes where a source names no modality.
    """

    def register(kind: Kind) -> Kind:
        kind.axes = tuple(axes)
        return kind

    return register


def with_axes(n_axes: int) -> dict[str, type[Modality]]:
    """The registered modalities whose examples have that many axes, by name."""
    registered = {name: one for name, one in declarations("data/modalities").items() if one.fields["from_axes"]}
    return {name: declared.load() for name, declared in registered.items() if len(declared.fields["axes"]) == n_axes}


def written(kind: Modality, input_shape: Sequence[int]) -> dict[str, Any]:
    """The modality as it stands in `manifest.json`: `name`, and its facts."""
    module, own = type(kind).__module__, f"{type(kind).__module__}:{type(kind).__qualname__}"
    registered = declarations("data/modalities").items()
    name = next((name for name, declared in registered if declared.module == module), own)
    return {"name": name, **kind.facts(input_shape)}


def as_a_model_sees(facts: Mapping[str, Any], rows: np.ndarray) -> np.ndarray:
    """What a model is called with for rows [n, ...] of the modality that `facts` are of, fitted on all of them."""
    import torch

    return fitted_on(facts, rows).batch(torch.from_numpy(rows)).numpy()


def fitted_on(facts: Mapping[str, Any], rows: Any) -> Modality:
    """The modality that `written` has written, fitted on these rows where it is one that is fitted."""
    modality = read_back(facts)
    return read_back(facts, modality.fit(rows)) if modality.is_fitted else modality


def read_back(facts: Mapping[str, Any], fitted: Mapping[str, Any] | None = None) -> Modality:
    """The modality that `written` has written; fitted: what its `fit` has returned for a training split."""
    keywords = {key: value for key, value in facts.items() if key != "name"}
    kind = find("data/modalities", facts["name"]).load()
    restored: Modality = kind(**keywords) if fitted is None else kind(**keywords, fitted=fitted)
    return restored
