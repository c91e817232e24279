"""Draws disjoint, stratified training, validation and test splits, and plants label noise in the training split."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from heft.data.noise import plant_noise
from heft.data.settings import DataSettings
from heft.data.sizes import asked_sizes, check_classes, check_given_labels, check_holds, class_sizes, rare_classes
from heft.data.taking_part import ORDER, TakingPart, taking_part
from heft.data.texts import Texts
from heft.data.trusted import drawn_columns
from heft.data.whole_units import check_size, draw_units
from heft.errors import HeftError
from heft.seeds import derive_seed


def draw_split(
    examples: pd.DataFrame,
    inputs: Any,
    settings: DataSettings,
    seed: int,
    class_names: Sequence[str] | None = None,
) -> dict[str, pd.DataFrame]:
    """`test`, `validation` and `train`, by id; columns id, row (into inputs), label (given), true_label, group and
    trusted where they are known, and unit, a number, where some examples of a split belong together.

    Depends on the ids, labels and contents of `examples` (columns id, row, content_hash, label), not on their order.
    Of examples with identical content one takes part, or all are in one split. Examples of one group, and
    near-duplicates (column near_duplicate, a number; -1: none), are in one split, as `settings` say. With a column
    split, each split is drawn from its own part, and one that has none from `train`. Where examples have no true_label
    and noise is planted, what was given before is taken for the true label. Planted noise changes given labels alone;
    the labels of `test` are the true ones where they are known.
    inputs: an array [n, ...] of all rows, or texts, for noise that looks at distances. class_names: of all classes;
    where it is not given, classes are 0 to the highest label.
    Raises HeftError where there are too few examples, or a class has none that takes part.
    """
    names = list(class_names) if class_names else [str(label) for label in range(int(examples["label"].max()) + 1)]
    part = taking_part(examples, settings)
    check_classes(np.bincount(part.examples["label"], minlength=len(names)), names)
    chosen = _chosen(part, settings, len(names), seed)
    splits = {
        name: _columns(part.examples.loc[rows].reset_index(drop=True), settings.noise.kind != "none", name == "test")
        for name, rows in chosen.items()
    }
    train = splits["train"]
    before = train["label"].to_numpy()
    noise_seed = derive_seed(seed, "noise", resample=settings.resample)
    near = _at(inputs, train["row"].to_numpy()) if settings.noise.kind == "clustered" else np.empty((len(train), 0))
    given = plant_noise(before, near, settings.noise, len(names), noise_seed)
    check_given_labels(given, before, settings, names)
    train["label"] = given
    if "trusted" in train:
        train["trusted"] &= given == before
    return splits


def _at(inputs: Any, rows: np.ndarray) -> np.ndarray:
    """The inputs of these rows; raises HeftError where they are texts."""
    if isinstance(inputs, Texts):
        raise HeftError(
            "data.noise.kind is clustered, which looks at distances of inputs, and texts have none; choose symmetric "
            "or pairs."
        )
    placed: np.ndarray = inputs[rows]
    return placed


def _chosen(part: TakingPart, settings: DataSettings, n_classes: int, seed: int) -> dict[str, np.ndarray]:
    """The rows of each split into the examples that take part, ascending."""
    generator = np.random.default_rng(derive_seed(seed, "split", resample=settings.resample))
    (labels, trusted), units = drawn_columns(part.examples), part.examples["unit"].to_numpy()
    chosen: dict[str, np.ndarray] = {}
    ids = part.examples["id"].to_numpy()
    for parts, members in part.pools.items():
        rows = np.flatnonzero(members)
        sizes = asked_sizes(settings, parts, len(rows), part.n_left_out)
        if len(np.unique(units[rows])) == len(rows):
            drawn = _draw_examples(labels[rows], trusted[rows], sizes, n_classes, generator)
        else:
            drawn = _draw_whole(labels[rows], trusted[rows], units[rows], sizes, n_classes, generator, ids[rows])
        chosen |= {name: rows[places] for name, places in drawn.items()}
    return {name: chosen[name] for name in ORDER}


def _draw_examples(
    labels: np.ndarray, trusted: np.ndarray, sizes: dict[str, int], n_classes: int, generator: np.random.Generator
) -> dict[str, np.ndarray]:
    """Places of each split, ascending: of each class its share, trusted ones first, and at least one; rare classes go
    to training."""
    remaining = [generator.permutation(np.flatnonzero(labels == label)) for label in range(n_classes)]
    remaining = [members[np.argsort(~trusted[members], kind="stable")] for members in remaining]
    rare = rare_classes(np.array([len(members) for members in remaining]), tuple(sizes))
    drawn = {}
    for n_later, (name, size) in reversed(list(enumerate(reversed(sizes.items())))):
        available = np.array([len(members) for members in remaining])
        common = ~rare & (available > 0)
        least, most = common.astype(int), np.where(common, available - n_later, 0)
        if name == "train":
            least, most = np.where(rare, available, least), np.where(rare, available, most)
        check_holds(name, size, int(least.sum()), int((least > 0).sum()))
        taken = class_sizes(size, available, least, most)
        drawn[name] = np.sort(np.concatenate([members[:n] for members, n in zip(remaining, taken, strict=True)]))
        remaining = [members[n:] for members, n in zip(remaining, taken, strict=True)]
    return drawn


def _draw_whole(
    labels: np.ndarray,
    trusted: np.ndarray,
    units: np.ndarray,
    sizes: dict[str, int],
    n_classes: int,
    generator: np.random.Generator,
    ids: np.ndarray,
) -> dict[str, np.ndarray]:
    """Places of each split, ascending, in whole units; sizes are met as nearly as these allow (see `whole_units`)."""
    _, first, units, n_members = np.unique(units, return_index=True, return_inverse=True, return_counts=True)
    largest = int(np.argmax(n_members))
    counts = np.zeros((len(first), n_classes), np.int64)
    np.add.at(counts, (units, labels), 1)
    rare = rare_classes((counts > 0).sum(axis=0), tuple(sizes))
    n_trusted = np.bincount(units, weights=trusted)
    remaining = generator.permutation(len(first))
    remaining = remaining[np.argsort(-n_trusted[remaining] / n_members[remaining], kind="stable")]
    drawn = {}
    for n_later, (name, size) in reversed(list(enumerate(reversed(sizes.items())))):
        available = counts[remaining].sum(axis=0)
        wanted = available if name == "train" else np.where(rare, 0, available)
        target = class_sizes(min(size, int(wanted.sum())), wanted, np.zeros_like(wanted), wanted)
        whole = n_trusted[remaining] == n_members[remaining]
        enough = name != "train" and (counts[remaining[whole]].sum(axis=0) >= target).all()
        taken = among = np.flatnonzero(whole) if enough else np.arange(len(remaining))
        if n_later or size < available.sum():
            taken = among[draw_units(counts[remaining[among]], target, n_later)]
        drawn[name] = np.flatnonzero(np.isin(units, remaining[taken]))
        check_size(name, size, len(drawn[name]), int(n_members[largest]), str(ids[first[largest]]))
        remaining = np.delete(remaining, taken)
    return drawn


def _columns(examples: pd.DataFrame, planted: bool, tested: bool) -> pd.DataFrame:
    """What a split holds of its examples; where true labels are known, models are tested on those."""
    if planted and "true_label" not in examples:
        examples = examples.assign(true_label=examples["label"])
    if tested and "true_label" in examples:
        examples = examples.assign(label=examples["true_label"])
    together = ["unit"] if examples["unit"].duplicated().any() else []
    known = [*(name for name in ("true_label", "group", "trusted") if name in examples), *together]
    return examples[["id", "row", "label", *known]].copy()
