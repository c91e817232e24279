"""Identical examples that carry different labels: a label is wrong, or the inputs do not tell the class."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

SHOWN = 3


def conflicting_duplicates(examples: pd.DataFrame) -> list[dict[str, list[Any]]]:
    """Groups of identical examples whose labels differ: their `ids` and `labels`.

    examples: columns id, content_hash, label. Groups come by their first id.
    """
    ordered = examples.sort_values("id")
    labels = ordered.groupby("content_hash", sort=False)["label"]
    conflicting = ordered[labels.transform("nunique") > 1]
    return [
        {"ids": group["id"].tolist(), "labels": group["label"].tolist()}
        for _, group in conflicting.groupby("content_hash", sort=False)
    ]


def sentence_of(facts: Mapping[str, Any], class_names: Sequence[str]) -> str:
    """How many groups there are in the facts of a split, the first of them, and which examples take part; empty where
    there is none."""
    groups = facts["conflicting_duplicates"]
    if not groups:
        return ""
    shown = ", ".join(" = ".join(_members(group, class_names)) for group in groups[:SHOWN])
    counted = "1 group" if len(groups) == 1 else f"{len(groups):,} groups"
    more = " and so on" if len(groups) > SHOWN else ""
    if facts["duplicates"]["taking_part"] == "together":
        part = "That alone leaves none out: a label is wrong, or their inputs do not tell the class"
    else:
        part = "Of each group one alone takes part"
    return (
        f"{counted} of identical examples with different labels: {shown}{more}. {part}; facts.json beside the splits "
        "lists all of them."
    )


def _members(group: Mapping[str, Sequence[Any]], class_names: Sequence[str]) -> list[str]:
    named = [f"{name} ({class_names[label]})" for name, label in zip(group["ids"], group["labels"], strict=True)]
    return named[:SHOWN] + (["..."] if len(named) > SHOWN else [])
