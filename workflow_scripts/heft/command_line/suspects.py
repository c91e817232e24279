"""`python -m heft suspects`: the examples whose label is doubtful, from files of labels and predictions alone."""

import argparse
import csv
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from heft.arguments.suspects import EMBEDDINGS, PREDICTIONS, Evidence, evidence, kind_of
from heft.atomic_files import atomic_path
from heft.data.labelled_files import LabelFile, read_classes, read_groups, read_labels, read_numbers
from heft.errors import HeftError

COLUMNS = ("rank", "id", "label", "suggested_label", "score", "method")
WIDEST = 60  # characters of an id or a label in the terminal


def run(asked: argparse.Namespace) -> None:
    """Prints the examples of the lowest scores, and writes all of them where an output is named; raises HeftError."""
    if asked.predictions is None and asked.embeddings is None:
        raise HeftError("--predictions and --embeddings are missing; pass one of them beside --labels.")
    if asked.output:
        _check_output(Path(asked.output))
    labels = read_labels(asked.labels, asked.ids)
    predictions = None if asked.predictions is None else read_numbers(asked.predictions, labels)
    embeddings = None if asked.embeddings is None else read_numbers(asked.embeddings, labels)
    groups = _groups(asked, labels)
    classes = read_classes(asked.classes) if asked.classes else predictions and predictions.names
    found = evidence(
        predictions and predictions.numbers,
        embeddings and embeddings.numbers,
        labels.labels,
        method=asked.method,
        classes=classes,
        groups=groups,
        seed=asked.seed,
        options=dict(map(_option, asked.option)),
    )
    rows = _rows(found, labels.ids)
    if asked.output:
        with atomic_path(asked.output) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *rows])
    _print(found, rows[: max(0, asked.count)])
    if asked.output:
        print(f"{asked.output}: all {len(rows):,} examples, the most suspect first")


def _groups(asked: argparse.Namespace, labels: LabelFile) -> Sequence[int | str] | None:
    """Those of `--groups`; else those of the labels' table, for a method that has a use for them."""
    if asked.groups is not None:
        return read_groups(asked.groups, labels)
    looks_at = kind_of(asked.method) if asked.method else EMBEDDINGS if asked.predictions is None else PREDICTIONS
    return labels.groups if looks_at == EMBEDDINGS else None


def _rows(found: Evidence, ids: Sequence[str] | None) -> list[tuple[Any, ...]]:
    """Rows of the table, the lowest score first; of equal ones the earlier."""
    scores = found.scores.numpy()
    return [
        (
            rank,
            row if ids is None else ids[row],
            found.labels.values[row],
            found.suggested[row],
            float(scores[row]),
            found.method,
        )
        for rank, row in enumerate(np.argsort(scores, kind="stable").tolist(), start=1)
    ]


def _print(found: Evidence, rows: Sequence[tuple[Any, ...]]) -> None:
    doubted = sum(label != other for label, other in zip(found.labels.values, found.suggested, strict=True))
    n = len(found.labels.values)
    print(f"{found.method}: another label is likelier for {doubted:,} of {n:,} examples; the lowest scores:")
    table = [COLUMNS[:5], *((rank, *map(_in_terminal, texts), f"{score:.4g}") for rank, *texts, score, _ in rows)]
    widths = [max(len(str(row[column])) for row in table) for column in range(len(table[0]))]
    for row in table:
        print("  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
    for sentence in found.warnings:
        print(f"{found.method}: {sentence}.", file=sys.stderr)


def _in_terminal(value: Any) -> str:
    """A text without line breaks and control characters, cut where long."""
    text = "".join(c if c.isprintable() else repr(c)[1:-1] for c in str(value))
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 3]}..."


def _option(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise HeftError(f"--option is {text}; expected NAME=VALUE.")
    try:
        return name, json.loads(value)
    except json.JSONDecodeError:
        return name, value


def _check_output(path: Path) -> None:
    """Raises HeftError where a file is there that this command has not written, such as one of those that it reads."""
    if path.suffix.lower() != ".csv":
        raise HeftError(f"--output is {path}; its name must end in .csv.")
    if path.exists():
        with path.open("rb") as file:
            if file.readline().strip() != ",".join(COLUMNS).encode():
                raise HeftError(f"--output is {path}, which holds something else; name a file that is not there.")
