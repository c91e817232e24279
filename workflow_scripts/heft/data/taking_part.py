"""Which examples take part in the splits, which of them stay together, and which are left out of training."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from heft.data.near.components import components
from heft.data.settings import DataSettings

# The test split is drawn first: then it is the same whatever the sizes of the other two.
ORDER = ("test", "validation", "train")


@dataclass(frozen=True)
class TakingPart:
    """examples: those that take part, by id, with a column `unit`: those of one unit stay in one split.

    leaked: examples for training that a split of the data set's own repeats, left out or not: columns id, like (an id
    of that split) and because (`identical`, `near-duplicate` or `group`). n_left_out: identical copies that take no
    part for that alone.
    """

    examples: pd.DataFrame
    leaked: pd.DataFrame
    n_left_out: int

    @property
    def pools(self) -> dict[tuple[str, ...], np.ndarray]:
        """{splits: bool [n]}: the examples that the splits are drawn from together."""
        if "split" not in self.examples:
            return {ORDER: np.ones(len(self.examples), bool)}
        part = self.examples["split"].to_numpy(dtype=str)
        own = [name for name in ORDER[:-1] if (part == name).any()]
        rest = tuple(name for name in ORDER if name not in own)
        return {**{(name,): part == name for name in own}, rest: part == "train"}


def taking_part(examples: pd.DataFrame, settings: DataSettings) -> TakingPart:
    """All examples, or if `settings.duplicates` is not `together`, of those with identical content the one of the
    lowest id; with splits of their own, one of test, if any.

    examples: columns id, content_hash, and where there are any near_duplicate, group and split.
    """
    own = "split" in examples
    rank = examples["split"].map({name: place for place, name in enumerate(ORDER)}) if own else 0
    ordered = examples.assign(rank=rank).sort_values(["rank", "id"])
    copies = ordered.duplicated("content_hash")
    leaks = copies & ~ordered.duplicated(["content_hash", "rank"]) & (ordered["rank"] == ORDER.index("train"))
    left_out = copies & ~leaks & (settings.duplicates != "together")
    kept = ordered[~left_out].reset_index(drop=True)
    kept["unit"] = _units(kept, settings)
    leaked = _leaked(kept) if own else pd.DataFrame({"id": [], "like": [], "because": []})
    if settings.leave_out_leaked:
        kept = kept[~kept["id"].isin(leaked["id"])]
    kept = kept.drop(columns="rank").sort_values("id").reset_index(drop=True)
    return TakingPart(kept, leaked, int(left_out.sum()))


def near_duplicates_of(examples: pd.DataFrame) -> pd.Series:
    """The number of each example's set of near-duplicates; missing for one that has none."""
    if "near_duplicate" not in examples:
        return pd.Series(pd.NA, index=examples.index, dtype="Int64")
    return examples["near_duplicate"].astype("Int64").where(examples["near_duplicate"] >= 0)


def _units(examples: pd.DataFrame, settings: DataSettings) -> np.ndarray:
    """The number of each example's unit, int64 [n]: of what content, near-duplicates and groups tie together."""
    ties = [examples["content_hash"]]
    if settings.near_duplicates:
        ties.append(near_duplicates_of(examples))
    if settings.keep_groups_together and "group" in examples:
        ties.append(examples["group"])
    pairs = []
    for tie in ties:
        number = pd.factorize(tie)[0]  # -1 where missing
        order = np.argsort(number, kind="stable")
        order = order[number[order] >= 0]
        same = number[order[1:]] == number[order[:-1]]
        pairs.append(np.stack([order[:-1][same], order[1:][same]], axis=1))
    return components(np.concatenate(pairs), len(examples))


def _leaked(examples: pd.DataFrame) -> pd.DataFrame:
    """See `TakingPart.leaked`; examples come by split and id."""
    held = examples[examples["split"] != "train"]
    repeated = examples[(examples["split"] == "train") & examples["unit"].isin(held["unit"])].sort_values("id")
    like = pd.Series(pd.NA, index=repeated.index, dtype=object)
    because = like.copy()
    near = near_duplicates_of(examples)
    for reason, tie in (("identical", examples["content_hash"]), ("near-duplicate", near), ("group", examples["unit"])):
        first = pd.Series(held["id"].to_numpy(), index=tie[held.index]).groupby(level=0).first()
        found = tie[repeated.index].map(first)
        because = because.mask(because.isna() & found.notna(), reason)
        like = like.fillna(found)
    return pd.DataFrame({"id": repeated["id"], "like": like, "because": because}).reset_index(drop=True)
