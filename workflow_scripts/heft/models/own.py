"""Imports a person's own `package.module:function`, and looks at what a configuration gives to it."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from heft.errors import HeftError
from heft.own_module import import_own

GIVEN = "(input_shape, n_classes)"


def own_function(name: str) -> Callable[..., nn.Module]:
    """The function that `package.module:function` names; raises HeftError where it cannot be had."""
    function = import_own(name, "model")
    if not callable(function):
        raise HeftError(f'model "{name}": {name.partition(":")[2]} is {_a(function)}; expected a function {GIVEN}.')
    return function


def check_options(function: Callable[..., nn.Module], name: str, options: Mapping[str, Any]) -> None:
    """Raises HeftError where the function has no such option, needs one that is not given, or takes other arguments."""
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
    first_two = [one for one, parameter in parameters.items() if parameter.kind in positional][:2]
    takes_any = inspect.Parameter.VAR_KEYWORD in kinds
    known = [one for one, parameter in parameters.items() if one not in first_two and _is_option(parameter)]
    for option in options:
        if option in first_two or (option not in known and not takes_any):
            raise HeftError(f"model {name} has no option {option}; its options: {', '.join(known) or 'none'}.")
    for one in known:
        if parameters[one].default is inspect.Parameter.empty and one not in options:
            example = f'model: {{"{name}": {{{one}: ...}}}}'
            raise HeftError(f"model {name} needs the option {one}, which the configuration does not give: {example}.")


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
