"""Heft from Python: scores of training examples for any torch.nn.Module, and the examples that score lowest.

    scores = heft.score("if_cg", model, train=(x, y), validation=(xv, yv), damping=0.1)
    for suspect in heft.suspects(scores, y, count=10):
        print(suspect.row, suspect.label, suspect.score)

`heft.methods()` lists the methods, their options, and what to pass for each. docs/from_python.md has more.
"""

import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from heft.arguments.chosen import chosen_method, chosen_objective
from heft.arguments.ensemble import chosen_ensemble
from heft.arguments.needed import needed_by
from heft.arguments.on_device import check_has_numbers
from heft.arguments.tensors import tensor_of
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
    model: nn.Module,
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
    it is evaluated, and left as it was. train: `(inputs, labels)` of tensors or arrays, a `Dataset`, or a `DataLoader`
    with `shuffle=False`. What a method needs besides, it names in a sentence where it is missing:

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
    """A training example that scores low: its row, its score and, where labels were passed, its label."""

    row: int
    score: float
    label: int | None = None


def suspects(scores: Tensor, labels: Any = None, *, count: int = 20) -> list[Suspect]:
    """The `count` examples of the lowest scores [n], the lowest first; of equal ones the earlier row.

    labels [n]: the given ones, to be shown beside. Raises HeftError where there is not one for each score, or
    the scores are no list of numbers.
    """
    check_has_numbers(scores, "scores")
    values = np.asarray(scores.detach().cpu() if isinstance(scores, Tensor) else scores)
    if values.ndim != 1:
        raise HeftError(f"scores have shape {list(values.shape)}; expected [n], one score for each example.")
    given = None if labels is None else tensor_of(labels, "labels").cpu()
    if given is not None and len(given) != len(values):
        raise HeftError(f"labels are {len(given)} for {len(values)} scores; expected one for each.")
    lowest = np.argsort(values, kind="stable")[: max(0, count)]
    return [Suspect(int(row), float(values[row]), None if given is None else int(given[row])) for row in lowest]
