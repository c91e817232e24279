"""Draws disjoint, stratified training, validation and test splits, and plants label noise in the training split."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from heft.data.noise import plant_noise
from heft.data.settings import DataSettings
from heft.data.sizes import check_counts, check_given_labels, check_shares, check_sizes, proportional_sizes
from heft.seeds import derive_seed

# The test split is drawn first: then it is the same whatever the sizes of the other two.
ORDER = ("test", "validation", "train")


# longer: a third says what it is given and what it promises; the draws stand in one order
def draw_split(
    examples: pd.DataFrame,
    inputs: np.ndarray,
    settings: DataSettings,
    seed: int,
    class_names: Sequence[str] | None = None,
) -> dict[str, pd.DataFrame]:
    """`train`, `validation` and `test`, by id; columns id, row (into inputs), label (given), and true_label and group
    where they are known.

    Depends on the ids, labels and contents of `examples` (columns id, row, content_hash, label), not on their order.
    Of examples with identical content only the one of the lowest id takes part, so no example is in two splits. With a
    column split, each split is drawn from its own part, and one that has none from `train`. Where examples have no
    true_label and noise is planted, what was given before is taken for the true label. Planted noise changes given
    labels alone; the labels of `test` are the true ones where they are known.
    inputs: [n, ...] of all rows, for noise that looks at distances. class_names: of all classes; where it is not
    given, classes are 0 to the highest label.
    Raises HeftError where there are too few examples, or a class is absent from a split.
    """
    unique = examples.sort_values("id").drop_duplicates("content_hash").reset_index(drop=True)
    names = list(class_names) if class_names else [str(label) for label in range(int(examples["label"].max()) + 1)]
    pools = _pools(unique)
    for parts, members in pools.items():
        check_sizes(settings, parts, int(members.sum()), len(examples) - len(unique))
    generator = np.random.default_rng(derive_seed(seed, "split", resample=settings.resample))
    labels = unique["label"].to_numpy()
    remaining_of = {
        parts: [generator.permutation(np.flatnonzero((labels == label) & members)) for label in range(len(names))]
        for parts, members in pools.items()
    }
    for parts, by_class in remaining_of.items():
        check_counts(parts, [len(members) for members in by_class], names)
    splits = {}
    for name in ORDER:
        parts = next(parts for parts in pools if name in parts)
        remaining = remaining_of[parts]
        available = np.array([len(members) for members in remaining])
        sizes = proportional_sizes(getattr(settings, name), available)
        check_shares(name, sizes, available, names)
        chosen = np.sort(np.concatenate([members[:size] for members, size in zip(remaining, sizes, strict=True)]))
        remaining_of[parts] = [members[size:] for members, size in zip(remaining, sizes, strict=True)]
        drawn = unique.loc[chosen].reset_index(drop=True)
        splits[name] = _columns(drawn, planted=settings.noise.kind != "none", tested=name == "test")
    train = splits["train"]
    noise_seed = derive_seed(seed, "noise", resample=settings.resample)
    near = inputs[train["row"].to_numpy()] if settings.noise.kind == "clustered" else np.empty((len(train), 0))
    train["label"] = plant_noise(train["label"].to_numpy(), near, settings.noise, len(names), noise_seed)
    check_given_labels(train["label"], settings, names)
    return splits


def split_facts(splits: dict[str, pd.DataFrame], settings: DataSettings, seed: int) -> dict[str, Any]:
    """Sizes, noise and what varies over seeds, for `facts.json`.

    rate: of planted noise. n_wrong: training labels known to be wrong, planted or not; None where that is not known.
    """
    train = splits["train"]
    known = "true_label" in train
    return {
        "seed": seed,
        "n": {name: len(splits[name]) for name in reversed(ORDER)},
        "noise": settings.noise.kind,
        "rate": settings.noise.rate if settings.noise.kind != "none" else 0.0,
        "n_wrong": int((train["label"] != train["true_label"]).sum()) if known else None,
        "resample": list(settings.resample),
    }


def _columns(examples: pd.DataFrame, planted: bool, tested: bool) -> pd.DataFrame:
    """What a split holds of its examples; where true labels are known, models are tested on those."""
    if planted and "true_label" not in examples:
        examples = examples.assign(true_label=examples["label"])
    if tested and "true_label" in examples:
        examples = examples.assign(label=examples["true_label"])
    known = [name for name in ("true_label", "group") if name in examples]
    return examples[["id", "row", "label", *known]].copy()


def _pools(unique: pd.DataFrame) -> dict[tuple[str, ...], np.ndarray]:
    """Which examples [n] the splits of each group are drawn from."""
    if "split" not in unique:
        return {ORDER: np.ones(len(unique), bool)}
    part = unique["split"].to_numpy(dtype=str)
    own = [name for name in ORDER[:-1] if (part == name).any()]
    rest = tuple(name for name in ORDER if name not in own)
    return {**{(name,): part == name for name in own}, rest: part == "train"}
