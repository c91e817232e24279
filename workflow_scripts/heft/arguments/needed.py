"""All that a method needs, made from what a caller of `heft.score` passes."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from torch import Tensor, nn

from heft.arguments.chosen import ChosenMethod
from heft.arguments.examples import check_labels, labelled_examples
from heft.arguments.needs import arguments_of
from heft.arguments.on_device import check_default_device, check_has_numbers, device_of, device_of_inputs
from heft.arguments.states import checkpoints_of, further_models, passed_dynamics, run_of
from heft.arguments.tensors import is_whole, tensor_of, type_and_shape
from heft.auxiliary.kinds import kinds_for
from heft.ensembles.members import AuxiliaryRun, TrainedModels
from heft.errors import HeftError
from heft.kernels.batch import Batch
from heft.methods.context import Context
from heft.models.soundness.trained import check_trained
from heft.objectives.declare import Objective
from heft.options import fault, is_of_type
from heft.phrases import shown
from heft.scoring.method_scores import base_context
from heft.training.mode import buffers_put_back, in_mode

# A method that needs nothing beyond these has no use for a model.
WITHOUT_MODEL = {"validation", "true_labels"}


@dataclass(frozen=True)
class Needed:
    """The method with its options, what it gets at every member, and the states that its members are made of."""

    method: ChosenMethod
    base: Context
    trained: TrainedModels


def needed_by(
    method: ChosenMethod,
    model: nn.Module | None,
    train: Any,
    passed: Mapping[str, Any],
    *,
    objective: Objective,
    seed: int,
    weight_decay: float,
) -> Needed:
    """What the method needs, of the arguments in `passed`; what it does not need is not looked at.

    model: may be None where the method needs none. All is on the device of the model, or of the inputs, or comes there.
    Raises HeftError where an argument is missing or does not fit, or the model is not sound; it is left as it was.
    """
    for argument, what in arguments_of(method.needs).values():
        if passed.get(argument) is None:
            raise HeftError(f"Method {method.name} needs {argument}: {what}.")
    if not isinstance(model, nn.Module) and not (model is None and WITHOUT_MODEL.issuperset(method.needs)):
        raise HeftError(f"model is a {type(model).__name__}; expected the trained torch.nn.Module.")
    _check_numbers(seed, weight_decay)
    check_default_device()
    device = device_of_inputs(train) if model is None else device_of(model)
    _check_numbers_of_tensors(method, passed)
    examples = {"train": _as_units(labelled_examples(train, "train", device))}
    if "validation" in method.needs:
        examples["validation"] = labelled_examples(passed["validation"], "validation", device)
    method, further = _with_further_models(method, passed, len(examples["train"].labels))
    base = base_context(
        method.needs,
        model=model,
        train=examples["train"],
        validation=examples.get("validation"),
        true_labels=_true_labels(passed, examples["train"].labels) if "true_labels" in method.needs else None,
        n_classes=_n_classes(model, examples),
        seed=int(seed),
        weight_decay=weight_decay,
        objective=objective,
    )
    return Needed(method, base, _trained_models(method, model, examples["train"].labels, passed, further))


def _as_units(train: Batch) -> Batch:
    """The same, whose groups are what belongs together, as in a run."""
    return Batch(*train, train.groups, units=train.groups)


def _check_numbers(seed: int, weight_decay: float) -> None:
    if not is_of_type(seed, "integer") or not -(2**63) <= seed < 2**63:
        raise HeftError(f"seed is {shown(seed)}; it must be a whole number of at most 63 bits.")
    if said := fault("weight_decay", weight_decay, {"type": "number", "minimum": 0}):
        raise HeftError(f"{said}.")


def _check_numbers_of_tensors(method: ChosenMethod, passed: Mapping[str, Any]) -> None:
    """Looks at all that the method needs, but examples, which are looked at when they are read."""
    needed = {argument for argument, _ in arguments_of(method.needs).values()} - {"validation"}
    if "dynamics" in method.needs:
        needed.add("checkpoints")  # at which an ensemble records them again
    for argument in sorted(needed):
        check_has_numbers(passed[argument], argument)


def _n_classes(model: nn.Module | None, examples: Mapping[str, Batch]) -> int:
    """As many as the model has logits; without a model, as the labels tell."""
    if model is None:
        return max(_largest_label(labels, argument) for argument, (_, labels) in examples.items()) + 1
    n_classes = 0
    for argument, (inputs, labels) in examples.items():
        with in_mode(model, training=False), buffers_put_back(model):
            n_classes = check_trained(model, f"model {type(model).__name__}", inputs, int(labels.max()) + 1)
        check_labels(labels, n_classes, argument)
    return n_classes


def _largest_label(labels: Tensor, argument: str) -> int:
    if len(below := (labels < 0).nonzero()):
        row = int(below[0])
        raise HeftError(f"{argument}: row {row} has the label {int(labels[row])}; labels are whole numbers from 0 on.")
    return int(labels.max())


def _true_labels(passed: Mapping[str, Any], given: Tensor) -> Tensor:
    labels = tensor_of(passed["true_labels"], "true_labels")
    if labels.shape != given.shape or not is_whole(labels):
        raise HeftError(f"true_labels are {type_and_shape(labels)}; expected whole numbers [{len(given)}].")
    return labels.long().to(given.device)


def _with_further_models(
    method: ChosenMethod, passed: Mapping[str, Any], n: int
) -> tuple[ChosenMethod, dict[str, list[AuxiliaryRun]]]:
    """The further models by need, and the method with the option that says how many there are."""
    further, options = {}, dict(method.options)
    for kind in kinds_for(method.needs).values():
        models = further[kind.need] = further_models(passed[kind.need], n, kind.need)
        asked = options.setdefault(kind.models, len(models)) if isinstance(kind.models, str) else kind.models
        if asked != len(models) and (isinstance(kind.models, str) or asked == 1):
            raise HeftError(f"Method {method.name} takes {asked} of {kind.need}, but {len(models)} are passed.")
    return replace(method, options=options), further


def _trained_models(
    method: ChosenMethod,
    model: nn.Module | None,
    labels: Tensor,
    passed: Mapping[str, Any],
    further: Mapping[str, list[AuxiliaryRun]],
) -> TrainedModels:
    if model is None:
        return TrainedModels(runs={})
    along = passed["checkpoints"] if {"spaced", "early", "dynamics"} & set(method.needs) else None
    checkpoints = [] if along is None else checkpoints_of(along, "checkpoints")
    return TrainedModels(
        runs={0: run_of(model, checkpoints)},
        auxiliary={need: {0: models} for need, models in further.items()},
        dynamics={0: passed_dynamics(passed["dynamics"], labels, "dynamics")} if "dynamics" in method.needs else {},
    )
