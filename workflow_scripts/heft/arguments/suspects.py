"""Scores from predictions or embeddings alone, without a model: what `heft.suspects` and its command look at."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from heft.arguments.chosen import ChosenMethod, chosen_method
from heft.arguments.examples import labelled_examples
from heft.arguments.given_groups import given_groups
from heft.arguments.given_labels import GivenLabels, Label, label_values, labels_by_name
from heft.arguments.given_predictions import given_predictions, order_warning
from heft.arguments.on_device import device_of_inputs
from heft.devices import in_precision
from heft.errors import HeftError
from heft.kernels.batch import Batch
from heft.kernels.label_quality import likeliest_labels
from heft.methods.context import AuxiliaryModel, Context
from heft.registry import declarations, find
from heft.scoring.method_scores import method_scores

# What may be given in the place of a model -> its family of methods, what these may need, and the one by default.
PREDICTIONS, EMBEDDINGS = "predictions", "embeddings"
FAMILIES = {PREDICTIONS: "predictions", EMBEDDINGS: "inputs"}
SERVED = {PREDICTIONS: {"final", "folds"}, EMBEDDINGS: set[str]()}
DEFAULTS = {PREDICTIONS: "margin", EMBEDDINGS: "neighbour_vote"}


class Evidence(NamedTuple):
    """What a method finds: scores float64 [n], low where suspect, and the label that it would give each example."""

    method: str
    scores: Tensor
    labels: GivenLabels
    suggested: list[Label]
    warnings: list[str]


def evidence(
    predictions: Any,
    embeddings: Any,
    labels: Any,
    *,
    method: str | None,
    classes: Any = None,
    groups: Any = None,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
) -> Evidence:
    """The scores of one method; by default of the first kind that is given, predictions or embeddings.

    groups: which embeddings belong together. Raises HeftError where the method needs another kind, or what is given
    does not fit.
    """
    given = {kind: value for kind, value in ((PREDICTIONS, predictions), (EMBEDDINGS, embeddings)) if value is not None}
    if labels is None:
        raise HeftError(f"labels are missing; pass the given label of each row of {' and '.join(given)}.")
    name = method or DEFAULTS[next(iter(given))]
    kind = kind_of(name)
    if kind not in given:
        raise HeftError(f"Method {name} needs {kind}, but {' and '.join(given)} are passed; {_known(*given)}.")
    chosen = chosen_method(name, options or {})
    if kind == PREDICTIONS and groups is not None:
        raise HeftError(
            f"groups are passed, for which method {name} has no use, since the folds of predictions are drawn already; "
            "leave them out."
        )
    if kind == PREDICTIONS:
        return _of_predictions(chosen, *given_predictions(predictions, labels, classes), seed)
    named = labels_by_name(label_values(labels), classes)
    numbers = None if groups is None else given_groups(groups, len(named.values))
    return _of_embeddings(chosen, embeddings, named, numbers, seed)


def methods_for(kind: str) -> list[str]:
    """The registered methods that predictions, or embeddings, are enough for."""
    return [
        name
        for name, declared in declarations("methods").items()
        if declared.fields.get("family") == FAMILIES[kind] and SERVED[kind].issuperset(declared.fields["needs"])
    ]


def kind_of(name: str) -> str:
    """What a method looks at, predictions or embeddings; raises HeftError where neither is enough."""
    fields = find("methods", name).fields
    for kind, family in FAMILIES.items():
        if fields.get("family") == family and SERVED[kind].issuperset(fields["needs"]):
            return kind
    raise HeftError(f"Method {name} needs more than predictions or embeddings; {_known(*FAMILIES)}.")


def _known(*kinds: str) -> str:
    """`methods of predictions are confidence, loss`."""
    return ", ".join(f"methods of {kind} are {', '.join(methods_for(kind))}" for kind in kinds)


def _of_predictions(method: ChosenMethod, probabilities: Tensor, labels: GivenLabels, seed: int) -> Evidence:
    """Their logarithms are the logits of a network that is the identity, and that held every example out."""
    logits = probabilities.clamp(min=torch.finfo(probabilities.dtype).tiny).log()
    everything = AuxiliaryModel({}, torch.ones(len(logits), dtype=torch.bool))
    context = Context(
        train=Batch(logits, labels.indices),
        n_classes=logits.shape[1],
        seed=seed,
        model=nn.Identity(),
        auxiliary={"folds": [everything]},
    )
    if said := order_warning(probabilities, labels.indices):
        context.warn(said)
    context.suggest(likeliest_labels(probabilities, labels.indices))
    return _found(method, context, labels)


def _of_embeddings(
    method: ChosenMethod, embeddings: Any, labels: GivenLabels, units: Tensor | None, seed: int
) -> Evidence:
    embeddings = embeddings.to_numpy(copy=True) if hasattr(embeddings, "columns") else embeddings
    given = (embeddings, labels.indices)
    train = labelled_examples(given, EMBEDDINGS, device_of_inputs(given))
    train = Batch(*train, units=units).to(train.inputs.device)
    return _found(method, Context(train=train, n_classes=len(labels.classes), seed=seed), labels)


def _found(method: ChosenMethod, context: Context, labels: GivenLabels) -> Evidence:
    with in_precision(context.device):
        scores = torch.from_numpy(method_scores(method.name, method.with_options(), context))
    suggested = [labels.classes[place] for places in context.suggested for place in places.tolist()]
    return Evidence(method.name, scores, labels, suggested, context.warnings)
