"""What an objective is, and what it declares.

An objective is one file, whose function says how good a model is on the validation split; lower is better.
"""

from collections.abc import Callable, Mapping
from functools import update_wrapper
from typing import Any

from torch import Tensor, nn

from heft.kernels.batch import Batch
from heft.kernels.functional import State
from heft.registry import find

# (model, state, batch) -> scalar, lower is better. While it runs, the model holds `state`, in evaluation mode.
Objective = Callable[[nn.Module, State, Batch], Tensor]


def objective(
    *, title: str, formula: str, mean_over_examples: bool = False, needs: tuple[str, ...] = ()
) -> Callable[[Callable[..., Tensor]], Callable[..., Tensor]]:
    """Registers `(model, state, batch, *, options...) -> scalar`; the keywords are literals, read without importing.

    title: the name that the report prints. formula: of the value. needs: what the data must have (`groups`).
    mean_over_examples: whether the value is the mean of what the function gives for each example alone. Its gradient
    is then taken batch by batch, in one pass.
    """

    def register(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        registered: Any = function
        registered.title, registered.formula = title, formula
        registered.mean_over_examples, registered.needs = mean_over_examples, needs
        return function

    return register


def load_objective(name: str, options: Mapping[str, Any] | None = None) -> Objective:
    """The objective of a registered name, or of a person's own, with these options; what it declares stays at it."""
    declared = find("objectives", name)
    return update_wrapper(declared.configured(options or {}), declared.load())
