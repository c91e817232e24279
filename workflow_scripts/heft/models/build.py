"""Builds a model by its name, with initial parameters that a seed decides."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import nn

from heft.devices import CPU
from heft.errors import HeftError
from heft.models.own import check_kind, own_function, read_model
from heft.models.soundness.checks import check_soundness
from heft.models.soundness.outputs import check_shape
from heft.models.start import started
from heft.persons_code import persons_code, seed_generators
from heft.registry import declarations, find


@dataclass(frozen=True)
class ModelSpec:
    """Everything but the seed that decides a model: it stands in `checkpoints.json` under `model`."""

    name: str
    options: Mapping[str, Any]
    input_shape: Sequence[int]
    n_classes: int

    @classmethod
    def for_data(cls, model: Mapping[str, Any], manifest: Mapping[str, Any]) -> "ModelSpec":
        """The model that `model` (name, options) describes, for the shapes and classes of a data set's manifest.

        Raises HeftError where the model takes another modality than the data set's.
        """
        _check_modality(model["name"], manifest)
        return cls(model["name"], model["options"], manifest["input_shape"], len(manifest["class_names"]))

    def build(self, seed: int, device: torch.device = CPU) -> nn.Module:
        """The model in evaluation mode with initial parameters drawn from `seed`; `build_model` has found it sound.

        It is built on the CPU, so that a seed draws the same parameters for every device.
        """
        return Draw.of(self)(seed).to(device)

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
    """A registered model, or a user's own `package.module:function`, in evaluation mode, found to be sound.

    Initial parameters follow from `seed` alone; the global generators and settings of torch are left as they were.
    Raises HeftError where the name, an option, the input shape or the shape of the logits does not fit, and where the
    model is not sound (`heft.models.soundness.checks`).
    """
    draw = Draw.of(ModelSpec(name, options, input_shape, n_classes))
    model = draw(seed)
    with persons_code(f"model {name} fails on inputs of shape {list(input_shape)}"):
        check_soundness(model, f"model {name}", input_shape, n_classes)
    _check_again(draw, seed, model)
    return model


@dataclass(frozen=True)
class Draw:
    """A model's function with its options: called with a seed, it gives a model whose logits have the right shape.

    start: the options of `started`.
    """

    function: Callable[..., nn.Module]
    spec: ModelSpec
    start: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, spec: ModelSpec) -> "Draw":
        """Finds the function; raises HeftError where there is none, or the options are not its own."""
        own = own_function(spec.name, spec.options) if ":" in spec.name else None
        if modality := _modality_of(spec.name):
            _check_shape(spec, modality)
        function = own or find("models", spec.name).configured(spec.options)
        return cls(function, spec, {key: value for key, value in spec.options.items() if key not in function.keywords})

    def __call__(self, seed: int) -> nn.Module:
        label, shape = f"model {self.spec.name}", tuple(self.spec.input_shape)
        with persons_code(f"{label} cannot be built"):
            seed_generators(seed)
            model = self.function(shape, self.spec.n_classes)
            if torch.default_generator.initial_seed() != seed:
                raise HeftError(f"{label} seeds torch's generator; leave that out, the experiment's seed decides.")
            check_kind(model, self.spec.name)
            model.eval()
            drawn = torch.get_rng_state()
        with persons_code(f"{label} fails on inputs of shape {list(shape)}"):
            torch.set_rng_state(drawn)  # lazy layers draw at their first call
            with torch.no_grad():
                logits = model(torch.zeros(2, *shape))
            check_shape(logits, label, 2, self.spec.n_classes)
        return started(model, self.spec.n_classes, label, **self.start)


def _check_again(draw: Draw, seed: int, model: nn.Module) -> None:
    """Raises HeftError where the same seed gives other initial parameters, or the same module again."""
    again = draw(seed)
    label = f"model {draw.spec.name}"
    shared = {id(parameter) for parameter in model.parameters() if parameter.requires_grad}
    if shared & {id(parameter) for parameter in again.parameters()}:
        raise HeftError(f"{label} returns the same parameters at each call; make the module inside the function.")
    before, after = model.state_dict(), again.state_dict()
    for name in before:
        if name not in after or not torch.equal(before[name].nan_to_num(), after[name].nan_to_num()):
            raise HeftError(
                f"{label}: {name} starts with other values at each call for the same seed; draw from torch's global "
                "generator."
            )


def _modality_of(name: str) -> str | None:
    """The only modality that the model takes; `None` if it takes any, or has no decorator that says so."""
    declared = read_model(name)
    return declared.fields.get("modality") if declared else None


def _check_modality(name: str, manifest: Mapping[str, Any]) -> None:
    takes, given = _modality_of(name), manifest["modality"]["name"]
    if not manifest["input_shape"]:
        raise HeftError(
            f"model {name} takes {takes or 'numbers'}, but the inputs of data source {manifest['source']} are {given}; "
            "name an encoder, which makes numbers of them, such as encoder: hashed_words."
        )
    if takes and takes != given:
        known = declarations("models")
        others = ", ".join(other for other, declared in known.items() if declared.fields["modality"] in (None, given))
        raise HeftError(
            f"model {name} takes {takes}, but the inputs of data source {manifest['source']} are {given} "
            f"(an input has shape {manifest['input_shape']}); choose {others}, or a model of your own."
        )


def _check_shape(spec: ModelSpec, modality: str) -> None:
    shape, fields = list(spec.input_shape), find("data/modalities", modality).fields
    axes, smallest = fields["axes"], list(fields["smallest"]) or [1] * len(fields["axes"])
    if len(shape) != len(axes) or any(size < least for size, least in zip(shape, smallest, strict=True)):
        raise HeftError(
            f"model {spec.name} takes {modality} of shape [{', '.join(axes)}], at least {smallest}, "
            f"but an input has shape {shape}."
        )
