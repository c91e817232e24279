"""What a modality declares and does: it says what the inputs of a data set are.

All that is stored of an example is one row of `inputs`, a float32 array [n, ...]. A modality checks what a source
returns, hashes a row, turns rows into what a model is called with, and shows them to a person.

Text can follow as one file: `check` pads the token ids of each example to one length, [n, length], which float32 holds
exactly below 2^24; `batch` stacks ids and mask to [n, 2, length], so that the first axis of all that a model sees stays
n; `show` gives the words. What a model is tried on before training are rows of the data set, so that a model may
take its inputs for indices.
"""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from heft.data.fields.arrays import inputs_of
from heft.registry import declarations, find

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Shown:
    """An example as a person sees it: a picture (a data URI of a PNG), or values, each with its name, or both."""

    picture: str | None = None
    values: Sequence[tuple[str, str]] = ()


class Modality(ABC):
    """A kind of input, with what is known of one data set's inputs, such as the names of its columns.

    Registered by `@modality`. `facts` are written to `manifest.json`; the class called with them is the same modality.
    """

    axes: Sequence[str] = ()

    def check(self, inputs: Any) -> np.ndarray:
        """Float32 [n, *axes]; raises HeftError naming the row and the value where that cannot be."""
        return inputs_of(inputs, self.axes)

    @abstractmethod
    def facts(self, input_shape: Sequence[int]) -> dict[str, Any]:
        """The keywords that make this modality, as plain values; raises HeftError where one does not fit the shape."""

    def hash(self, example: np.ndarray) -> str:
        """SHA-256 of the content of one row: examples of the same hash are the same example."""
        return hashlib.sha256(example.tobytes()).hexdigest()

    def batch(self, rows: "Tensor") -> "Tensor":
        """What a model is called with for these rows of `inputs` [n, ...]; its first axis is n."""
        return rows

    @abstractmethod
    def show(self, inputs: np.ndarray, rows: Sequence[int]) -> list[Shown]:
        """These rows of `inputs` [n, ...] as a person sees them; the other rows may say what is usual."""


Kind = TypeVar("Kind", bound=type[Modality])


def modality(*, axes: Sequence[str], smallest: Sequence[int] = ()) -> Callable[[Kind], Kind]:
    """Registers a class derived from `Modality`.

    axes: names of the axes of an example, those of `inputs` after n. smallest: sizes of the smallest example that
    models of this modality alone take, one for each axis; empty: 1 each.
    """

    def register(kind: Kind) -> Kind:
        kind.axes = tuple(axes)
        return kind

    return register


def with_axes(n_axes: int) -> dict[str, type[Modality]]:
    """The registered modalities whose examples have that many axes, by name."""
    registered = declarations("data/modalities")
    return {name: declared.load() for name, declared in registered.items() if len(declared.fields["axes"]) == n_axes}


def written(kind: Modality, input_shape: Sequence[int]) -> dict[str, Any]:
    """The modality as it stands in `manifest.json`: `name`, and its facts."""
    module, own = type(kind).__module__, f"{type(kind).__module__}:{type(kind).__qualname__}"
    registered = declarations("data/modalities").items()
    name = next((name for name, declared in registered if declared.module == module), own)
    return {"name": name, **kind.facts(input_shape)}


def read_back(facts: Mapping[str, Any]) -> Modality:
    """The modality that `written` has written."""
    keywords = {key: value for key, value in facts.items() if key != "name"}
    restored: Modality = find("data/modalities", facts["name"]).load()(**keywords)
    return restored
