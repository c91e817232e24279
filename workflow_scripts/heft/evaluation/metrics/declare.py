"""What a measure declares, and what it is given.

A measure is one file, whose function says how good a trained model is in one respect, as one number.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn


@dataclass(frozen=True)
class Predicted:
    """A split and the model's logits [n, n_classes] for it; groups int64 [n], `None` where they are unknown.

    All of it is on the CPU but the inputs, which are beside the model, for a measure that runs it.
    """

    inputs: Tensor
    labels: Tensor
    logits: Tensor
    groups: Tensor | None = None


@dataclass(frozen=True)
class Measured:
    """All that a measure may see: a model, its state (parameters and buffers by name), and the three splits."""

    model: nn.Module
    state: Mapping[str, Tensor]
    train: Predicted
    validation: Predicted
    test: Predicted


Measure = Callable[..., float]


def measure(
    *, title: str, unit: str, higher_is_better: bool, chosen_by: str, needs: tuple[str, ...] = ()
) -> Callable[[Measure], Measure]:
    """Registers `(measured, *, options...) -> number`; the keywords are literals, read without importing.

    title: the name that tables and figures print. unit: `%` for shares, which are printed as 100 times the value; any
    other is printed as it is. chosen_by: name of the objective whose lowest value on the validation split chooses a
    row, where an experiment is judged by this measure. needs: what the data must have (`groups`); where they do not,
    the measure is left out.
    """

    def register(function: Measure) -> Measure:
        registered: Any = function
        registered.title, registered.unit, registered.higher_is_better = title, unit, higher_is_better
        registered.chosen_by, registered.needs = chosen_by, needs
        return function

    return register
