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
    Of examples with identical content only the one of the lowest id takes part, so no image is in two splits.
    inputs: [n, C, H, W] of all rows, for noise that looks at distances.
    Raises HeftError where there are too few examples, or a class is absent from a split.
    """
    unique = examples.sort_values("id").drop_duplicates("content_hash").reset_index(drop=True)
    _check_sizes(settings, len(unique), len(examples))
    n_classes = int(examples["label"].max()) + 1
    generator = np.random.default_rng(derive_seed(seed, "split", resample=settings.resample))
    labels = unique["label"].to_numpy()
    remaining = [generator.permutation(np.flatnonzero(labels == label)) for label in range(n_classes)]
    splits = {}
    for name in ORDER:
        sizes = proportional_sizes(getattr(settings, name), np.array([len(members) for members in remaining]))
        chosen = np.sort(np.concatenate([members[:size] for members, size in zip(remaining, sizes, strict=True)]))
        remaining = [members[size:] for members, size in zip(remaining, sizes, strict=True)]
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


def _check_sizes(settings: DataSettings, n_unique: int, n: int) -> None:
    wanted = settings.train + settings.validation + settings.test
    if wanted > n_unique:
        doubled = f" ({n - n_unique} exact duplicates of others left out)" if n > n_unique else ""
        raise HeftError(
            f"data: train {settings.train} + validation {settings.validation} + test {settings.test} = {wanted} "
            f"examples, but the data set has {n_unique}{doubled}."
        )


def _check_classes(split: pd.DataFrame, name: str, n_classes: int) -> None:
    absent = sorted(set(range(n_classes)) - set(split["label"]))
    if absent:
        raise HeftError(f"data.{name}: {len(split)} examples, none of class {absent[0]}; a larger split is needed.")
