"""Heft from Python: scores of training examples for any torch.nn.Module, and the examples that score lowest.

    scores = heft.score("if_cg", model, train=(x, y), validation=(xv, yv), damping=0.1)
    for suspect in heft.suspects(scores, y, count=10):
        print(suspect.row, suspect.label, suspect.score)

`heft.methods()` lists the methods, their options, and what to pass for each. docs/from_python.md has more.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from heft.arguments.chosen import chosen_method, chosen_objective
from heft.arguments.ensemble import chosen_ensemble
from heft.arguments.given_labels import label_values
from heft.arguments.needed import needed_by
from heft.arguments.on_device import check_has_numbers
from heft.arguments.suspects import evidence
from heft.auxiliary.kinds import kinds
from heft.devices import in_precision
from heft.ensembles.members import member
from heft.errors import HeftError, HeftWarning
from heft.objectives.declare import Objective
from heft.scoring.aggregate import ensemble_warnings
from heft.scoring.method_scores import method_scores, named
from heft.training.mode import seeded


# longer: its docstring is the manual of the call
def score(
    method: str | Callable[..., Tensor],
    model: nn.Module | None,
    train: Any,
    validation: Any = None,
    *,
    seed: int = 0,
    weight_decay: float = 0.0,
    objective: str | Mapping[str, Any] | Objective | Callable[[Tensor, Tensor], Tensor] = "loss",
    true_labels: Any = None,
    checkpoints: Any = None,
    dynamics: Any = None,
    ensemble: str | Mapping[str, Any] | None = None,
    members: int | None = None,
    **options: Any,
) -> Tensor:
    """Scores of the training examples, float64 [n_train], in their order: **low scores are detrimental**.

    method: a name of `heft.methods()`, or a function that carries `@method(...)`; options: its own. model: as trained;
    it is evaluated, and left as it was; None where the method needs no model. train: `(inputs, labels)` of tensors or
    arrays, a `Dataset`, or a `DataLoader` with `shuffle=False`. What a method needs
    besides, it names in a sentence where it is missing:

    ===========================  ============================================================================
    need                         argument; a state is a state_dict or a module
    ===========================  ============================================================================
    validation                   `validation`: trusted examples, in any form that train may have
    true_labels                  `true_labels`: the right label of each training example [n_train]
    spaced, early                `checkpoints`: states along the training, or pairs (state, learning rate)
    dynamics                     `dynamics`: logits after each epoch [n_epochs, n_train, n_classes], or a pair
                                 [n_epochs, n_train] of the label's and the largest other one
    folds, subsets, fine_tuned   `folds`, `subsets`, `fine_tuned`: states of the further models, or pairs
                                 (state, what that model was trained without as bool [n_train])
    ===========================  ============================================================================

    What a method does not need is not looked at. All is computed on the device of the model, to which tensors come that
    lie elsewhere; on cuda in float32 without TF32. Scores are on the CPU. seed: of what the method draws. weight_decay:
    that of training. objective: by name, as `{name: options}`, or a function `(logits, labels)` to a scalar, lower is
    better. ensemble: by name or as `{name: options}`; the scores are the mean over `members`, the first of which is the
    model itself.

    What a method says of its own scores is a `HeftWarning`. Raises HeftError, in one sentence, where something is
    missing, unknown or does not fit.
    """
    registered = [kind.need for kind in kinds().values() if kind.need]
    # Models of a person's own kind are passed by its import path: `**{"my_kinds:Bags": [...]}`.
    further = {need: options.pop(need, None) for need in [*registered, *(name for name in options if ":" in name)]}
    passed = {"validation": validation, "true_labels": true_labels, "checkpoints": checkpoints, "dynamics": dynamics}
    needed = needed_by(
        chosen_method(method, options),
        model,
        train,
        passed | further,
        objective=chosen_objective(objective),
        seed=seed,
        weight_decay=weight_decay,
    )
    chosen, (kind, kind_options, size) = needed.method, chosen_ensemble(ensemble, members, needed)
    columns, said = [], []
    with (
        in_precision(needed.base.device),
        seeded(needed.base.seed),
    ):  # what a method, or a package that it imports, draws from the global generators
        for number in range(size):
            where = f"member {number}" if kind else ""
            with named(chosen.name, where):
                base = replace(needed.base, warnings=[])
                context = member(base, chosen.needs, needed.trained, number, kind, kind_options)
            columns.append(method_scores(chosen.name, chosen.with_options(), context, where))
            said.append(context.warnings)
    for sentence in ensemble_warnings({"warnings": said}, size):
        warnings.warn(f"{chosen.name}: {sentence}", HeftWarning, stacklevel=2)
    return torch.from_numpy(np.stack(columns, axis=1).mean(axis=1))


class Suspect(NamedTuple):
    """An example that scores low: its row, its score and, where they are known, its label and the one suggested."""

    row: int
    score: float
    label: int | str | None = None
    suggested: int | str | None = None


# longer: its docstring is the manual of the call
def suspects(
    scores: Any = None,
    labels: Any = None,
    *,
    predictions: Any = None,
    embeddings: Any = None,
    method: str | None = None,
    classes: Sequence[int | str] | None = None,
    groups: Any = None,
    count: int = 20,
    seed: int = 0,
    **options: Any,
) -> list[Suspect]:
    """The `count` examples of the lowest scores, the lowest first; of equal ones the earlier row.

    scores [n]: as `heft.score` gives them; labels are then shown beside. Without scores, labels and one of these do,
    with neither model nor training:

    predictions [n, n_classes]: probabilities of each class by models that did not train on the example (out-of-fold),
    rows as those of labels, columns as `classes`; a table of pandas names its columns itself. embeddings [n, ...]:
    features of each example, or the inputs themselves.

    labels [n]: whole numbers, or words. classes: what the columns of predictions stand for, where labels are not the
    numbers of columns. method: `margin` (by default), `confidence`, `loss` or `confident_learning` of predictions,
    `neighbour_vote` (by default) or `linear_probe` of embeddings; options: its own. groups [n]: whole numbers or words,
    for methods of embeddings: what is of one group, such as a patient, neither votes on nor trains for another of it.
    seed: of what the method draws.

    What a method says of its own scores is a `HeftWarning`. Raises HeftError, in one sentence, where something is
    missing, unknown or does not fit.
    """
    if (scores is None) == (predictions is None and embeddings is None):
        raise HeftError("heft.suspects takes scores, or else predictions or embeddings with labels; pass one of these.")
    if scores is None:
        named = {"method": method, "classes": classes, "groups": groups, "seed": seed, "options": options}
        found = evidence(predictions, embeddings, labels, **named)
        for sentence in found.warnings:
            warnings.warn(f"{found.method}: {sentence}", HeftWarning, stacklevel=2)
        return _lowest(found.scores.numpy(), found.labels.values, found.suggested, count)
    if method is not None or options or classes is not None or groups is not None:
        unused = method or next(iter(options), "groups" if classes is None else "classes")
        raise HeftError(f"scores are passed, for which {unused} says nothing; leave it out.")
    check_has_numbers(scores, "scores")
    values = np.asarray(scores.detach().cpu() if isinstance(scores, Tensor) else scores)
    if values.ndim != 1:
        raise HeftError(f"scores have shape {list(values.shape)}; expected [n], one score for each example.")
    given = None if labels is None else label_values(labels)
    if given is not None and len(given) != len(values):
        raise HeftError(f"labels are {len(given)} for {len(values)} scores; expected one for each.")
    return _lowest(values, given, None, count)


def _lowest(
    scores: np.ndarray, labels: Sequence[int | str] | None, suggested: Sequence[int | str] | None, count: int
) -> list[Suspect]:
    lowest = np.argsort(scores, kind="stable")[: max(0, count)].tolist()
    columns = [
        [None] * len(lowest) if column is None else [column[row] for row in lowest] for column in (labels, suggested)
    ]
    return [Suspect(row, float(scores[row]), *beside) for row, *beside in zip(lowest, *columns, strict=True)]
