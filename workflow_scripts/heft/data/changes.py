"""What changed of a data set since the run before: files, columns, examples, labels and classes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from heft.artifacts import read_json, read_parquet
from heft.errors import HeftError

MOST_NAMED = 5


@dataclass(frozen=True)
class DataSet:
    """What `prepare` has written of a data set: its manifest, and the table of its examples."""

    manifest: Mapping[str, Any]
    examples: pd.DataFrame

    @classmethod
    def in_folder(cls, folder: Path) -> "DataSet | None":
        """That of the run before, where one has ended well, and by a version that wrote the same facts."""
        try:
            found = cls(read_json(folder / "manifest.json"), read_parquet(folder / "examples.parquet"))
        except HeftError:  # there is none, or a run says that it is damaged
            return None
        return found if {"columns", "read", "changes"} <= set(found.manifest) else None


def changes_between(before: DataSet, now: DataSet) -> list[str]:
    """One sentence on what changed; none where nothing did."""
    old, new = before.manifest, now.manifest
    if old["source"] != new["source"]:
        return [f"Since the last run: the data come from the source {new['source']}, before from {old['source']}."]
    columns = [*_columns(old["columns"], new["columns"])]
    found = [*columns, *_examples(before, now, same_columns=not columns), *_classes(old, new)]
    files = [*_files(old["read"]["files"], new["read"]["files"])]
    if files and not found:
        found = ["no example"]
    return [f"Since the last run: {'; '.join([*files, *found])}."] if found else []


def _files(*kept: Mapping[str, Any]) -> Iterator[str]:
    old, new = (
        {name: file for name, file in files.items() if file["sha256"]} for files in kept
    )  # else it is not there
    other = [name for name in old if name in new and old[name]["sha256"] != new[name]["sha256"]]
    yield from _said(other, "file", "has other content", "have other content")
    yield from _said([name for name in new if name not in old], "file", "is new", "are new")
    yield from _said([name for name in old if name not in new], "file", "is gone", "are gone")


def _columns(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    added = [f"{name} ({new[name]['kind']})" for name in new if name not in old]
    yield from _said(added, "column", "is new", "are new")
    yield from _said([name for name in old if name not in new], "column", "is gone", "are gone")
    both = [name for name in old if name in new]
    for name in both:
        if old[name]["kind"] != new[name]["kind"]:
            yield f"the column {name} is {new[name]['kind']}, before {old[name]['kind']}"
    if len(both) < max(len(old), len(new)):  # else what examples say of it is more exact
        other = [name for name in both if old[name]["values"] != new[name]["values"]]
        yield from _said(other, "column", "has other values", "have other values")
        if both and not other:
            yield "the other columns have the same values"


def _examples(before: DataSet, now: DataSet, *, same_columns: bool) -> Iterator[str]:
    """Examples are the same by id; those that are left, of which a row may have moved, by content."""
    n_old, n_new = len(before.examples), len(now.examples)
    old, new = (_identified(data) for data in (before, now))
    both = _beside(old, new)
    old, new = old.drop(both.index), new.drop(both.index)
    if same_columns:
        pairs = [_numbered(table, "content_hash") for table in (old, new)]
        moved = _beside(*pairs)
        both, n_old_left, n_new_left = pd.concat([both, moved]), len(old) - len(moved), len(new) - len(moved)
        n_other = int((both["content_hash_old"] != both["content_hash_new"]).sum())
        yield from _counted(n_new_left, "is new", "are new")
        yield from _counted(n_old_left, "is gone", "are gone")
        yield from _counted(n_other, "has other content", "have other content")
    elif n_old == n_new:
        yield f"{n_new:,} examples as before"
    if n_old != n_new:
        yield f"{n_new:,} examples, before {n_old:,}"
    yield from _counted(int((both["label_old"] != both["label_new"]).sum()), "has another label", "have another label")


def _identified(data: DataSet) -> pd.DataFrame:
    """content_hash and label, the name of the class, by id."""
    names = pd.Series(data.manifest["class_names"], dtype=object)
    table = data.examples.set_index("id")[["content_hash", "label"]]
    return table.assign(label=names.loc[table["label"]].to_numpy())


def _numbered(table: pd.DataFrame, key: str) -> pd.DataFrame:
    """The table by `key`, and by number among rows of the same key, those of the same label in one order."""
    ordered = table.sort_values([key, "label"])
    return ordered.set_index([ordered[key].rename("of"), ordered.groupby(key).cumcount().rename("number")])


def _beside(old: pd.DataFrame, new: pd.DataFrame) -> pd.DataFrame:
    """The rows whose index is in both, with the columns of each."""
    return old.merge(new, left_index=True, right_index=True, suffixes=("_old", "_new"))


def _classes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    names = {name: data["class_names"] for name, data in (("old", old), ("new", new))}
    added = [name for name in names["new"] if name not in names["old"]]
    yield from _said(added, "class", "is new", "are new")
    yield from _said([name for name in names["old"] if name not in names["new"]], "class", "is gone", "are gone")


def _said(names: Sequence[str], kind: str, one: str, many: str) -> Iterable[str]:
    if not names:
        return []
    if len(names) == 1:
        return [f"the {kind} {names[0]} {one}"]
    plural = f"{kind}es" if kind == "class" else f"{kind}s"
    return [f"{len(names):,} {plural} {many}, {', '.join(names[:MOST_NAMED])}{' ...' * (len(names) > MOST_NAMED)}"]


def _counted(count: int, one: str, many: str) -> Iterable[str]:
    return [] if not count else [f"1 example {one}" if count == 1 else f"{count:,} examples {many}"]
