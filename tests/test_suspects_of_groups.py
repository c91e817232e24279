"""`heft.suspects` and its command take the group of each example, from a column, a table or an array."""

import csv
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import heft
from heft.__main__ import main

N = 60
DRAWN = np.random.default_rng(0)
LABELS = np.arange(N) % 3
EMBEDDINGS = (DRAWN.normal(size=(N, 6)) + 2 * np.eye(6)[LABELS]).astype(np.float32)
PATIENTS = [f"p{row // 4}" if row < 40 else "" for row in range(N)]
PREDICTIONS = DRAWN.dirichlet([1, 1, 1], size=N)
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def suspects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in a folder with the files: status, what it printed, and what it said on stderr."""
    monkeypatch.chdir(tmp_path)
    np.savez("a.npz", e=EMBEDDINGS, y=LABELS, g=np.array(PATIENTS), two=np.zeros((N, 2), int), p=PREDICTIONS)
    write_table("labels.csv", ["id", "y", "group"], [LABELS, PATIENTS])
    write_table("plain.csv", ["id", "label"], [LABELS])
    write_table("patients.csv", ["id", "patient"], [PATIENTS], reversed(range(N)))
    write_table("fewer.csv", ["id", "group"], [PATIENTS], range(1, N))

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["suspects", *arguments])
        return status, *capsys.readouterr()

    return run


def write_table(name: str, header: list[str], columns: Sequence[Any], rows: Any = range(N)) -> None:
    with Path(name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *([f"x{row}", *(column[row] for column in columns)] for row in rows)])


def scores(method: str, groups: Any) -> list[float]:
    found = heft.suspects(embeddings=EMBEDDINGS, labels=LABELS, groups=groups, method=method, count=N)
    return [suspect.score for suspect in sorted(found)]


@pytest.mark.parametrize("method", ["linear_probe", "neighbour_vote"])
def test_groups_are_words_or_numbers_and_what_is_missing_is_one_of_its_own(method: str) -> None:
    known = scores(method, PATIENTS)
    numbers = [row // 4 if row < 40 else 100 + row for row in range(N)]
    for same in (numbers, np.array(numbers), [None if name == "" else name for name in PATIENTS]):
        assert scores(method, same) == known
    assert scores(method, np.array([float(n) if n < 100 else np.nan for n in numbers])) == known
    assert scores(method, None) == scores(method, list(range(N)))
    assert scores(method, None) != known


@pytest.mark.parametrize("method", ["linear_probe", "neighbour_vote"])
@pytest.mark.parametrize(
    "files",
    [
        ["--labels", "labels.csv"],
        ["--labels", "labels.csv:y", "--groups", "a.npz:g"],
        ["--labels", "plain.csv", "--groups", "patients.csv:patient"],
        ["--labels", "a.npz:y", "--groups", "labels.csv"],
    ],
)
def test_the_command_reads_groups_of_a_column_or_of_a_file(suspects: Run, method: str, files: list[str]) -> None:
    status, _, said = suspects(*files, "--embeddings", "a.npz:e", "--method", method, "--output", "o.csv")
    assert (status, said) == (0, "")
    with Path("o.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    by_row = sorted((int(row["id"].removeprefix("x")), float(row["score"])) for row in rows)
    assert [score for _, score in by_row] == scores(method, PATIENTS)


def test_a_column_of_groups_is_no_embedding_and_does_not_hinder_predictions(suspects: Run) -> None:
    assert suspects("--labels", "labels.csv", "--predictions", "a.npz:p")[0] == 0
    write_table("both.csv", ["id", "label", "group", "x", "y"], [LABELS, np.arange(N) // 2, *EMBEDDINGS.T[:2]])
    given = "--labels", "both.csv", "--embeddings", "both.csv", "--output", "o.csv"
    assert suspects(*given)[0] == 0
    with Path("o.csv").open(encoding="utf-8", newline="") as file:
        lowest = float(next(csv.DictReader(file))["score"])
    found = heft.suspects(embeddings=EMBEDDINGS[:, :2].astype(float), labels=LABELS, groups=np.arange(N) // 2, count=1)
    assert found[0].score == lowest


MISTAKES = [
    (["--labels", "plain.csv", "--groups", "fewer.csv", "--embeddings", "a.npz:e"],
     "fewer.csv has no row for the id x0, which plain.csv has; both must have the same ids."),
    (["--labels", "plain.csv", "--groups", "patients.csv", "--embeddings", "a.npz:e"],
     "patients.csv has the columns id, patient; there is no group."),
    (["--labels", "a.npz:y", "--groups", "fewer.csv", "--embeddings", "a.npz:e"],
     "groups are 59 for 60 labels; expected one for each."),
    (["--labels", "a.npz:y", "--groups", "a.npz:two", "--embeddings", "a.npz:e"],
     "a.npz:two holds int64 [60, 2]; expected groups [n], texts or whole numbers."),
    (["--labels", "a.npz:y", "--groups", "a.npz:g", "--predictions", "a.npz:p"],
     "groups are passed, for which method margin has no use, since the folds of predictions are drawn already; leave "
     "them out."),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "sentence"), MISTAKES)
def test_groups_that_do_not_fit_are_one_sentence(suspects: Run, arguments: list[str], sentence: str) -> None:
    assert suspects(*arguments) == (1, "", f"{sentence}\n")


REFUSED = [
    ([0.5] * N, "groups: row 0 holds 0.5; expected a whole number or a word."),
    ([True] * N, "groups: row 0 holds true; expected a whole number or a word."),
    (3, "groups is a int; expected a group for each example."),
    (["a"] * N, "Method linear_probe: all 60 training examples are one group, or near-duplicates of one another; folds "
     "that keep these together need at least two."),
]  # fmt: skip


@pytest.mark.parametrize(("groups", "sentence"), REFUSED)
def test_what_is_no_group_is_one_sentence(groups: Any, sentence: str) -> None:
    with pytest.raises(heft.HeftError) as error:
        heft.suspects(embeddings=EMBEDDINGS, labels=LABELS, groups=groups, method="linear_probe")
    assert str(error.value) == sentence
    with pytest.raises(heft.HeftError, match="scores are passed, for which groups says nothing; leave it out"):
        heft.suspects(LABELS, groups=groups)
