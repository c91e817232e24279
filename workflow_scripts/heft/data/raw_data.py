"""A data set as a source returns it, before anything is checked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from heft.data.modalities.declare import Modality


@dataclass(frozen=True)
class RawData:
    """What a source returns, one entry an example; all but inputs and labels may be left out.

    inputs: float32 [n, ...], normalised. labels: int64 [n], indices of class_names; without class_names, numbers or
    texts that name the classes. ids: unique and stable; else the row's number.
    files: what was read, by name; a folder stands for all files in it. missing: files that were looked for, and are not
    there yet.
    modality: what the inputs are; else pictures where an example has three axes, a table where it has one.
    true_labels: the same as labels, where it is known which of those are wrong; known of all examples or of none.
    trusted: bool [n], whether the label of an example was checked; validation and test are drawn from such ones first.
    groups: a text or number [n]; the examples of one, such as a patient, stay in one split.
    split: `train`, `validation` or `test` [n], for a data set with splits of its own: each split is drawn from its own
    part, and one that has none from `train`.
    inputs may also be a `RowStream`, where all of them may not fit into memory; then modality says what they are.
    skipped: id, or whatever names it, and reason, of what is no example because it cannot be read. notes: sentences on
    what was done to the data, such as a column that was left out.
    """

    inputs: Any
    labels: Any
    ids: Any = None
    class_names: Any = None
    files: Mapping[str, Path] = field(default_factory=dict)
    modality: Modality | None = None
    true_labels: Any = None
    groups: Any = None
    split: Any = None
    missing: Sequence[Path] = ()
    skipped: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()
    trusted: Any = None
