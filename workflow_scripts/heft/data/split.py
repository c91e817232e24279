"""Draws disjoint, stratified training, validation and test splits, and plants label noise in the training split."""

from typing import Any

import numpy as np
import pandas as pd

from heft.data.noise import plant_noise
from heft.data.settings import DataSettings
from heft.errors import HeftError
from heft.training.seeds import derive_seed

# The test split is drawn first: then it is the same whatever the sizes of the other two.
ORDER = ("test", "validation", "train")


def draw_split(
    examples: pd.DataFrame, inputs: np.ndarray, settings: DataSettings, seed: int
) -> dict[str, pd.DataFrame]:
    """`train`, `validation` and `test`, each with columns id, row (into inputs), label (given), true_label, by id.

    Depends on the ids, labels and contents of `examples` (columns id, row, content_hash, label), not on their order.
    Of examples with identical content only the one of the lowest id takes part, so no image is in two splits. With a
    column official_test, `test` is drawn from the examples where it is true, and the others from the rest.
    inputs: [n, C, H, W] of all rows, for noise that looks at distances.
    Raises HeftError where there are too few examples, or a class is absent from a split.
    """
    unique = examples.sort_values("id").drop_duplicates("content_hash").reset_index(drop=True)
    pools = _pools(unique)
    for names, members in pools.items():
        _check_sizes(settings, names, int(members.sum()), len(examples) - len(unique))
    n_classes = int(examples["label"].max()) + 1
    generator = np.random.default_rng(derive_seed(seed, "split", resample=settings.resample))
    labels = unique["label"].to_numpy()
    remaining_of = {
        names: [generator.permutation(np.flatnonzero((labels == label) & members)) for label in range(n_classes)]
        for names, members in pools.items()
    }
    splits = {}
    for name in ORDER:
        names = next(names for names in pools if name in names)
        remaining = remaining_of[names]
        sizes = proportional_sizes(getattr(settings, name), np.array([len(members) for members in remaining]))
        chosen = np.sort(np.concatenate([members[:size] for members, size in zip(remaining, sizes, strict=True)]))
        remaining_of[names] = [members[size:] for members, size in zip(remaining, sizes, strict=True)]
        split = unique.loc[chosen, ["id", "row", "label"]].reset_index(drop=True)
        splits[name] = split.assign(true_label=split["label"])
        _check_classes(splits[name], name, n_classes)
    train = splits["train"]
    noise_seed = derive_seed(seed, "noise", resample=settings.resample)
    train["label"] = plant_noise(
        train["true_label"].to_numpy(), inputs[train["row"].to_numpy()], settings.noise, n_classes, noise_seed
    )
    _check_classes(train, "train", n_classes)
    return splits


def split_facts(splits: dict[str, pd.DataFrame], settings: DataSettings, seed: int) -> dict[str, Any]:
    """Sizes, noise and what varies over seeds, for `facts.json`."""
    wrong = splits["train"]["label"] != splits["train"]["true_label"]
    return {
        "seed": seed,
        "n": {name: len(splits[name]) for name in ("train", "validation", "test")},
        "noise": settings.noise.kind,
        "rate": settings.noise.rate if settings.noise.kind != "none" else 0.0,
        "n_wrong": int(wrong.sum()),
        "resample": list(settings.resample),
    }


def proportional_sizes(total: int, available: np.ndarray) -> np.ndarray:
    """Whole numbers [n_classes] adding up to `total`, near to its shares by `available` (largest remainder)."""
    shares = total * available / available.sum()
    sizes = np.floor(shares).astype(int)
    largest_first = np.argsort(sizes - shares, kind="stable")
    sizes[largest_first[: total - sizes.sum()]] += 1
    return sizes


def _pools(unique: pd.DataFrame) -> dict[tuple[str, ...], np.ndarray]:
    """Which examples [n] the splits of each group are drawn from."""
    if "official_test" not in unique:
        return {ORDER: np.ones(len(unique), bool)}
    official = unique["official_test"].to_numpy()
    return {ORDER[:1]: official, ORDER[1:]: ~official}


def _check_sizes(settings: DataSettings, names: tuple[str, ...], n_unique: int, n_duplicates: int) -> None:
    sizes = {name: getattr(settings, name) for name in reversed(names)}
    if sum(sizes.values()) > n_unique:
        doubled = f" ({n_duplicates} exact duplicates of others left out)" if n_duplicates else ""
        wanted = " + ".join(f"{name} {size}" for name, size in sizes.items())
        total = f" = {sum(sizes.values())}" if len(sizes) > 1 else ""
        where = "the data set" if names == ORDER else f"the part of the data set for {' and '.join(sizes)}"
        raise HeftError(f"data: {wanted}{total} examples, but {where} has {n_unique}{doubled}.")


def _check_classes(split: pd.DataFrame, name: str, n_classes: int) -> None:
    absent = sorted(set(range(n_classes)) - set(split["label"]))
    if absent:
        raise HeftError(f"data.{name}: {len(split)} examples, none of class {absent[0]}; a larger split is needed.")
