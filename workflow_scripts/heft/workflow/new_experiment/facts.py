"""What there is to know of a person's data before anything is chosen: sizes, classes, doubles, what cannot be read."""

import os
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np

from heft.data.checked import CheckedData, check_raw_data
from heft.data.modalities.declare import written
from heft.data.reading import read_source
from heft.data.row_stream import RowStream, Unreadable
from heft.errors import HeftError
from heft.registry import find
from heft.workflow.new_experiment.kind import Kind

LONGEST_LOOK = 60.0  # seconds
RARE = 10  # examples of a class
N_NAMED = 5
N_SAMPLE = 16  # inputs that an encoder is tried on


@dataclass(frozen=True)
class Facts:
    """A data set as its source gives it.

    n: of examples that can be read, as far as they were looked at. modality: its name. shape: of an input as a model
    sees it. row_bytes: that one takes on disk. counts: examples of each class, the largest first. n_left_out: examples
    that take no part because another one has their content. sample: a few inputs, from all over the data, as they are
    stored. sentences: for a person.
    """

    n: int
    modality: str
    shape: list[int]
    row_bytes: int
    counts: dict[str, int]
    split_counts: dict[str, int]
    n_left_out: int
    true_labels: bool
    sample: list[Any]
    sentences: list[str]


def facts_of(kind: Kind) -> Facts:
    """Reads the data by their source; raises HeftError, in the source's own sentence, where these are no data set."""
    raw = read_source(find("data/sources", kind.source), None, kind.options)
    data = check_raw_data(raw, kind.source)
    hashes, reasons, n_seen, sample = _looked_at(data)
    kept = [row for row in range(n_seen) if row not in reasons]
    if not kept:
        row, reason = next(iter(reasons.items()))
        raise HeftError(f"None of {n_seen} inputs can be read; the first, {data.ids[row]}: {reason}.")
    n = round(len(data.ids) * len(kept) / n_seen)
    counts = Counter(data.class_names[label] for label in data.labels)
    n_copies, together = len(hashes) - len(set(hashes)), data.modality.duplicates == "together"
    shape = data.modality.model_shape(data.input_shape)
    sentences = [
        *_said_of_skipped(data, reasons, n_seen),
        *_said_of_copies(n_copies, len(hashes), together),
        *_said_of_classes(counts),
        *data.notes,
    ]
    return Facts(
        n,
        written(data.modality, data.input_shape)["name"],
        shape,
        _row_bytes(data),
        dict(counts.most_common()),
        dict(Counter(data.split)) if data.split else {},
        0 if together else n_copies,
        data.true_labels is not None,
        sample,
        sentences,
    )


def _looked_at(data: CheckedData) -> tuple[list[str], dict[int, str], int, list[Any]]:
    """Content hashes of inputs, reasons of those that cannot be read, how many were looked at within the time, and a
    few from all over them."""
    hashes: list[str] = []
    reasons: dict[int, str] = {}
    sample: list[Any] = []
    seen, end = 0, time.monotonic() + LONGEST_LOOK
    for row in data.inputs.read(os.cpu_count() or 1) if isinstance(data.inputs, RowStream) else data.inputs:
        if isinstance(row, Unreadable):
            reasons[seen] = row.reason
        else:
            hashes.append(data.modality.hash(row))
            if seen * N_SAMPLE >= len(sample) * len(data.ids):
                sample.append(row)
        seen += 1
        if time.monotonic() > end:
            break
    return hashes, reasons, seen, sample


def _row_bytes(data: CheckedData) -> int:
    if isinstance(data.inputs, list):
        return sum(len(text.encode()) for text in data.inputs) // max(1, len(data.inputs))
    itemsize = data.inputs.dtype.itemsize
    size: Any = np.prod(data.input_shape, dtype=np.int64) * itemsize
    return int(size)


def _said_of_skipped(data: CheckedData, reasons: dict[int, str], n_seen: int) -> list[str]:
    skipped = [*data.skipped, *((data.ids[row], reason) for row, reason in reasons.items())]
    cut = isinstance(data.inputs, RowStream) and n_seen < len(data.inputs)
    said = [f"only the first {n_seen:,} of {len(data.ids):,} were looked at, within a minute"] if cut else []
    if not skipped:
        return said
    shown = "; ".join(f"{name} ({reason})" for name, reason in skipped[:N_NAMED])
    return [*said, f"{len(skipped):,} will be skipped: {shown}{' and so on' if len(skipped) > N_NAMED else ''}"]


def _said_of_copies(n_copies: int, n: int, together: bool) -> list[str]:
    if not n_copies:
        return []
    which = "all take part, identical ones in one split" if together else "of each such group one takes part"
    return [f"{n_copies:,} of {n:,} have the same content as another one; {which}"]


def _said_of_classes(counts: Counter[str]) -> list[str]:
    (largest, most), (smallest, least) = counts.most_common(1)[0], counts.most_common()[-1]
    rare = [name for name, count in counts.items() if count < RARE]
    said = []
    if most > 5 * least:
        said.append(f"classes are uneven: {largest} has {most:,} examples, {smallest} {least:,}")
    if rare:
        named = ", ".join(sorted(rare)[:N_NAMED]) + (" and so on" if len(rare) > N_NAMED else "")
        said.append(f"{len(rare)} of {len(counts)} classes have fewer than {RARE} examples: {named}")
    return said
