"""The plan of a variant: what each action does to each training example, at each fraction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from heft.curation.chosen import WHOLE, ChosenAction
from heft.curation.declare import ActionContext, Curated
from heft.curation.fractions import check_fractions
from heft.curation.ranking import tie_break
from heft.errors import HeftError


def curation_plan(
    train: pd.DataFrame,
    scores: pd.DataFrame,
    actions: Iterable[ChosenAction],
    fractions: Sequence[float],
    seed: int,
    n_classes: int,
    *,
    probabilities: Mapping[str, Mapping[str, pd.DataFrame]] | None = None,
    sees_true_labels: bool = False,
) -> pd.DataFrame:
    """One block of rows per action and fraction: id, action, fraction, kept, label, weight (0 where not kept).

    train: id, label and true_label of the training split. scores: id and score, in any order. The seed decides which of
    equally scored examples comes first. probabilities: {slug of an action: {need: id and a column a class}}, of models
    that did not train on the example. sees_true_labels: whether the method that scored does, such as `oracle`; else no
    action sees them.
    Raises ValueError where an id has no score; HeftError where a fraction is none or all, or an action fails.
    """
    check_fractions(fractions, len(train), "fractions")
    ids = train["id"].to_numpy(dtype=str)
    context = ActionContext(
        ids=ids,
        labels=train["label"].to_numpy(),
        scores=_by_id(scores, ids, "score")["score"].to_numpy(),
        ties=tie_break(ids, seed),
        fraction=WHOLE,
        n_classes=n_classes,
        true_labels=train["true_label"].to_numpy() if sees_true_labels else None,
    )
    blocks = []
    for chosen in actions:
        tables = (probabilities or {}).get(chosen.slug, {})
        given = {need: _by_id(table, ids, "probability").to_numpy() for need, table in tables.items()}
        for fraction in chosen.fractions(fractions):
            curated = acted_on(replace(context, fraction=fraction, probabilities=given), chosen)
            blocks.append(_block(train, curated, chosen.slug, fraction))
    return pd.concat(blocks)


def acted_on(context: ActionContext, chosen: ChosenAction) -> Curated:
    """What an action makes of the training split; raises HeftError where that is no training split."""
    try:
        curated = chosen.declaration.configured(chosen.options)(context)
        _check(curated, context, chosen.changes)
    except HeftError as error:
        raise HeftError(f"Action {chosen.name}, fraction {context.fraction:g}: {error}") from error
    return curated


def unpruned_plan(train: pd.DataFrame) -> pd.DataFrame:
    """The plan that keeps everything: empty action, fraction 0."""
    everything = np.ones(len(train), dtype=bool)
    return _block(train, Curated(everything, train["label"].to_numpy(), everything.astype(np.float32)), "", 0.0)


def _by_id(table: pd.DataFrame, ids: np.ndarray, what: str) -> pd.DataFrame:
    """The columns beside `id`, in the order of `ids`."""
    ordered = table.set_index("id").reindex(ids)
    missing = ordered.isna().any(axis=1)
    if missing.any():
        raise ValueError(f"no {what} for id {ordered.index[missing][0]}")
    return ordered


def _check(curated: Curated, context: ActionContext, changes: Sequence[str]) -> None:
    given = {"kept": True, "label": context.labels, "weight": curated.kept}
    for column, before in given.items():
        after = getattr(curated, column)
        if np.shape(after) != np.shape(context.labels):
            raise HeftError(f"{column} has shape {list(np.shape(after))}; it must be {list(context.labels.shape)}.")
        if column not in changes and (different := np.flatnonzero(after != before)).size:
            raise HeftError(
                f"{column} of example {context.ids[different[0]]} is changed, but the action does not declare "
                f'"{column}" in `changes`.'
            )
    if (outside := np.flatnonzero((curated.label < 0) | (curated.label >= context.n_classes))).size:
        raise HeftError(
            f"example {context.ids[outside[0]]} has label {curated.label[outside[0]]}; labels are 0 to "
            f"{context.n_classes - 1}."
        )
    if (bad := np.flatnonzero(~(np.isfinite(curated.weight) & (curated.weight >= 0)))).size:
        raise HeftError(
            f"example {context.ids[bad[0]]} has weight {curated.weight[bad[0]]:g}; weights are finite and at least 0."
        )
    if not (curated.weight > 0).any():
        raise HeftError("no example keeps a weight above 0, so that nothing is left to train on.")


def _block(train: pd.DataFrame, curated: Curated, action: str, fraction: float) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": train["id"].to_numpy(),
            "action": action,
            "fraction": fraction,
            "kept": curated.kept,
            "label": curated.label,
            "weight": curated.weight,
        }
    )
