"""The method and the objective that a caller names, or hands over as a function."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from torch import Tensor, nn

from heft.errors import HeftError
from heft.kernels.batch import Batch
from heft.kernels.functional import State
from heft.objectives.declare import Objective, load_objective
from heft.objectives.logits import differentiable_logits
from heft.options import checked_options
from heft.registry import find


@dataclass(frozen=True)
class ChosenMethod:
    """A method's function with its options, what it needs, and whether a mean over members makes sense."""

    name: str
    function: Callable[..., Tensor]
    needs: tuple[str, ...]
    ensemble: bool
    options: Mapping[str, Any] = field(default_factory=dict)

    def with_options(self) -> Callable[..., Tensor]:
        """The function of the context alone."""
        return partial(self.function, **self.options)


def chosen_method(method: str | Callable[..., Tensor], options: Mapping[str, Any]) -> ChosenMethod:
    """A registered method, `package.module:function`, or a function of one's own that carries `@method(...)`.

    Raises HeftError where there is none of that name, or an option is not its own or out of range. Python checks the
    options of a function that is handed over.
    """
    if isinstance(method, str):
        declared = find("methods", method)
        checked, said = checked_options(declared, options), declared.fields
        return ChosenMethod(method, declared.load(), said["needs"], said["ensemble"], checked)
    if not hasattr(method, "needs"):
        raise HeftError(f"method is {method!r}; expected a name, or a function that carries @method(...).")
    return ChosenMethod(method.__name__, method, method.needs, method.ensemble, dict(options))  # type: ignore[attr-defined]


def chosen_objective(given: Any) -> Objective:
    """By name, as `{name: options}`, or a function: `(model, state, batch)`, or `(logits, labels)`, to a scalar."""
    if callable(given):
        required = [parameter for parameter in inspect.signature(given).parameters.values() if _is_required(parameter)]
        return given if len(required) == 3 else partial(_of_logits, given)
    name, options = name_and_options(given, "objective")
    return load_objective(name, options)


def name_and_options(given: Any, argument: str) -> tuple[str, Mapping[str, Any]]:
    """Of `name`, or of `{name: {option: value}}`."""
    if isinstance(given, str):
        return given, {}
    if isinstance(given, Mapping) and len(given) == 1:
        ((name, options),) = given.items()
        return str(name), options or {}
    raise HeftError(f"{argument} is {given!r}; expected a name, or {{name: {{option: value}}}}.")


def _of_logits(function: Callable[[Tensor, Tensor], Tensor], model: nn.Module, state: State, batch: Batch) -> Tensor:
    return function(differentiable_logits(model, state, batch.inputs), batch.labels)


def _is_required(parameter: inspect.Parameter) -> bool:
    positional = parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    return positional and parameter.default is parameter.empty
