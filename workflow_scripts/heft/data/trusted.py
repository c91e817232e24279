"""Which examples a person has checked, and what of that the splits were drawn by."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from heft.data.changes import DataSet
from heft.data.checked import CheckedData
from heft.data.columns import SUFFIXES, read_columns
from heft.data.pictures.listed import id_of
from heft.data.read_files import followed
from heft.data.text_file import decoder_of, opened_text
from heft.errors import HeftError

N_SHOWN = 3


def with_trusted(data: CheckedData, file: Path | None) -> CheckedData:
    """The same, in which the examples that a file lists are trusted besides: an id a line, or a CSV with a column id.

    Of a folder, the paths of the files in it are the ids: one that holds what was checked, as the data lie.
    Raises HeftError where no example has one of the ids; some that no example has are noted.
    """
    if file is None:
        return data
    ids = _listed(file)
    places = {name: place for place, name in enumerate(data.ids)}
    unknown = [name for name in ids if name not in places]
    if len(unknown) == len(ids):
        raise HeftError(f"data.trusted: no example has one of the {len(ids)} ids in {file}, such as {_shown(ids)}.")
    trusted = np.zeros(len(data.ids), bool) if data.trusted is None else data.trusted.copy()
    trusted[[places[name] for name in ids if name in places]] = True
    said = [f"{len(unknown)} of {len(ids)} ids in {file} name no example: {_shown(unknown)}."] if unknown else []
    return replace(data, trusted=trusted, notes=[*data.notes, *said], files={**data.files, "trusted": file})


def as_first_drawn(examples: pd.DataFrame, class_names: Sequence[str], before: DataSet | None) -> pd.DataFrame:
    """The examples, with drawn_label and drawn_trusted where a review has changed them since splits were first drawn.

    before: the run before, whose columns these are carried over from, by id and content. So a review, which corrects
    labels or marks examples as trusted, moves no example from one split to another.
    """
    current = pd.DataFrame({"drawn_label": examples["label"], "drawn_trusted": _trusted_of(examples)})
    if before is None:
        return examples
    old = before.examples
    first = old.get("drawn_label", old["label"]), old.get("drawn_trusted", pd.Series(_trusted_of(old), old.index))
    numbers = {name: label for label, name in enumerate(class_names)}
    places = {label: numbers.get(name, -1) for label, name in enumerate(before.manifest["class_names"])}
    known = pd.DataFrame({"drawn_label": first[0].map(places), "drawn_trusted": first[1]})
    known.index = pd.MultiIndex.from_frame(old[["id", "content_hash"]])
    known = known[known["drawn_label"] >= 0].reindex(pd.MultiIndex.from_frame(examples[["id", "content_hash"]]))
    known.index = examples.index
    drawn = known.where(known.notna(), current).astype({"drawn_label": np.int64, "drawn_trusted": bool})
    return examples if drawn.equals(current) else pd.concat([examples, drawn], axis=1)


def drawn_columns(examples: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Labels and trust that splits are drawn by, [n] each."""
    label = examples.get("drawn_label", examples["label"]).to_numpy()
    trusted: Any = examples["drawn_trusted"] if "drawn_trusted" in examples else _trusted_of(examples)
    return label, np.asarray(trusted)


def _trusted_of(examples: pd.DataFrame) -> np.ndarray:
    return examples["trusted"].to_numpy() if "trusted" in examples else np.zeros(len(examples), bool)


def _listed(file: Path) -> list[str]:
    if file.is_dir():
        ids = [id_of(path.relative_to(file)) for path in followed(file)]
    elif file.suffix.lower() in SUFFIXES:
        ids = list(read_columns(file).column("id"))
    else:
        with opened_text(file, decoder_of(file, None)) as opened:
            ids = [line.strip() for line in opened if line.strip()]
    if not ids:
        raise HeftError(f"data.trusted: {file} lists no id.")
    return ids


def _shown(ids: Sequence[str]) -> str:
    return ", ".join([*ids[:N_SHOWN], *(["..."] if len(ids) > N_SHOWN else [])])
