"""Builds a model by its name, with initial parameters that a seed decides."""

import difflib
import importlib
import inspect
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from heft.errors import HeftError
from heft.registry import MODULES_VARIABLE, declarations


@dataclass(frozen=True)
class ModelSpec:
    """Everything but the seed that decides a model: it stands in `checkpoints.json` under `model`."""

    name: str
    options: Mapping[str, Any]
    input_shape: Sequence[int]
    n_classes: int

    @classmethod
    def for_data(cls, model: Mapping[str, Any], manifest: Mapping[str, Any]) -> "ModelSpec":
        """The model that `model` (name, options) describes, for the shapes and classes of a data set's manifest."""
        return cls(model["name"], model["options"], manifest["input_shape"], len(manifest["class_names"]))

    def build(self, seed: int) -> nn.Module:
        """The model with initial parameters drawn from `seed`."""
        return build_model(self.name, self.options, self.input_shape, self.n_classes, seed)

    def as_json(self) -> dict[str, Any]:
        """Plain values; `ModelSpec(**spec.as_json())` is the same specification."""
        return {
            "name": self.name,
            "options": dict(self.options),
            "input_shape": list(self.input_shape),
            "n_classes": self.n_classes,
        }


def build_model(
    name: str, options: Mapping[str, Any], input_shape: Sequence[int], n_classes: int, seed: int
) -> nn.Module:
    """A registered model, or a user's own `package.module:function`, in evaluation mode.

    Initial parameters follow from `seed` alone; torch's global generator is left as it was.
    Raises HeftError where the name, an option, the input shape or the shape of the logits does not fit.
    """
    function = _own_function(name) if ":" in name else _registered_function(name, input_shape)
    unknown = [option for option in options if option not in inspect.signature(function).parameters]
    if unknown:
        raise HeftError(f"model {name} has no option {unknown[0]}.")
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        model = function(tuple(input_shape), n_classes, **options).eval()
        _check_logits(model, name, input_shape, n_classes)
    return model


def _registered_function(name: str, input_shape: Sequence[int]) -> Callable[..., nn.Module]:
    known = declarations("models")
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f'; did you mean "{near[0]}"?' if near else "."
        raise HeftError(
            f'model "{name}" is not known{hint} Known: {", ".join(known)}, or your own package.module:function.'
        )
    if known[name].fields.get("needs_image") and (len(input_shape) != 3 or min(input_shape[1:]) < 4):
        raise HeftError(f"model {name} needs pictures of at least 4 x 4, but an input has shape {list(input_shape)}.")
    return known[name].load()


def _own_function(name: str) -> Callable[..., nn.Module]:
    module_name, _, function_name = name.partition(":")
    # Last, so that a file of these folders never hides an installed package.
    sys.path += [root for root in module_roots() if root not in sys.path]
    try:
        return getattr(importlib.import_module(module_name), function_name)
    except (ImportError, AttributeError, ValueError) as error:
        raise HeftError(f'model "{name}" cannot be imported: {error}.') from error


def module_roots() -> list[str]:
    """Folders where a user's own modules may lie: beside the configuration, then the project's."""
    return [*filter(None, os.environ.get(MODULES_VARIABLE, "").split(os.pathsep)), str(Path.cwd())]


def _check_logits(model: nn.Module, name: str, input_shape: Sequence[int], n_classes: int) -> None:
    try:
        with torch.no_grad():
            logits = model(torch.zeros(2, *input_shape))
    except RuntimeError as error:
        raise HeftError(
            f"model {name} fails on inputs of shape {list(input_shape)}: {str(error).splitlines()[0]}."
        ) from error
    if tuple(logits.shape) != (2, n_classes):
        raise HeftError(f"model {name} returns shape {list(logits.shape)} for 2 examples; expected [2, {n_classes}].")
