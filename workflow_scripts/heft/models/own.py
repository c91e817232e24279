"""Imports a person's own `package.module:function`, and looks at what a configuration gives to it."""

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch
from torch import nn

from heft.errors import HeftError
from heft.options import REQUIRED, Option, check_names, checked_options
from heft.own_module import find_module, import_own, module_roots
from heft.registry import Declaration, find
from heft.signatures import shared_options

GIVEN = "(input_shape, n_classes)"


def own_function(name: str, options: Mapping[str, Any]) -> partial[nn.Module]:
    """The function that `package.module:function` names, with those of the options that are its own.

    Raises HeftError where it cannot be had, takes other arguments, or an option is not its own or not allowed.
    """
    function = import_own(name, "model")
    if not callable(function):
        raise HeftError(f'model "{name}": {name.partition(":")[2]} is {_a(function)}; expected a function {GIVEN}.')
    if declared := read_model(name):
        checked_options(declared, options)
    shared = shared_by(function)
    own = {option: value for option, value in options.items() if option not in shared}
    _check_arguments(function, name, own)
    return partial(function, **own)


def shared_by(function: Callable[..., Any]) -> list[str]:
    """The names of the options that every model takes, but for those that a function has for itself."""
    try:
        own = list(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # written in C, it does not say
        own = []
    return [name for name in shared_options("models") if name not in own]


def read_model(name: str) -> Declaration | None:
    """The declaration of a model; `None` if an installed package has it, whose files are not read.

    Raises HeftError where there is no such model.
    """
    if ":" in name and find_module(name, module_roots()) is None:
        return None
    return find("models", name)


def _check_arguments(function: Callable[..., nn.Module], name: str, options: Mapping[str, Any]) -> None:
    """What only the function itself tells, if it was imported from elsewhere or is a class."""
    try:
        parameters = dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):  # written in C, it does not say
        return
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    kinds = [parameter.kind for parameter in parameters.values()]
    if inspect.Parameter.VAR_POSITIONAL not in kinds and sum(kind in positional for kind in kinds) < 2:
        raise HeftError(
            f"model {name} takes ({', '.join(parameters)}); its function has to take {GIVEN}, then its options."
        )
    first_two = [argument for argument, parameter in parameters.items() if parameter.kind in positional][:2]
    read = {
        argument: Option(
            str(parameter.annotation), REQUIRED if parameter.default is parameter.empty else parameter.default
        )
        for argument, parameter in parameters.items()
        if argument not in first_two and _is_option(parameter)
    }
    takes_any = inspect.Parameter.VAR_KEYWORD in kinds and not set(first_two) & set(options)
    check_names(f"model {name}: ", name, read, options, takes_any_option=takes_any)


def check_kind(model: Any, name: str) -> None:
    """Raises HeftError where what a model's function returned is no ordinary module."""
    if isinstance(model, torch.jit.ScriptModule):
        raise HeftError(f"model {name} is TorchScript, which no tangent goes through; return the module before it.")
    if not isinstance(model, nn.Module):
        call = "; return an instance, not the class" if isinstance(model, type) else ""
        raise HeftError(f"model {name} returns {_a(model)}; expected a torch.nn.Module{call}.")


def _is_option(parameter: inspect.Parameter) -> bool:
    return parameter.kind in (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def _a(value: Any) -> str:
    if value is None:
        return "None"
    return f"the class {value.__name__}" if isinstance(value, type) else f"a {type(value).__name__}"
