"""`python -m heft suspects` reads a person's files, prints the most suspect, and writes a table of all."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

import heft
from heft.__main__ import main

N, WORDS = 40, ["dog", "cat", "eel"]
DRAWN = np.random.default_rng(0)
LABELS = DRAWN.integers(3, size=N)
PREDICTIONS = np.round(DRAWN.dirichlet([1, 1, 1], size=N) * 0.5 + 0.5 * np.eye(3)[LABELS], 4)
IDS = [f"image {row}.png" for row in range(N)]
Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def suspects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command in an empty folder: status, what it printed, and what it said on stderr."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> tuple[int, str, str]:
        status = main(["suspects", *arguments])
        return status, *capsys.readouterr()

    return run


def write_table(name: str, header: list[str], rows: Any) -> None:
    with Path(name).open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])


def read_table(name: str) -> list[dict[str, str]]:
    with Path(name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def expected(**passed: Any) -> list[tuple[int, str, str, float]]:
    """Row, label, suggestion and score of each example, as heft.suspects finds them."""
    found = heft.suspects(**{"predictions": PREDICTIONS, "labels": LABELS, "classes": WORDS, "count": N, **passed})
    return [(s.row, str(s.label), str(s.suggested), s.score) for s in found]


def test_tables_belong_together_by_id_and_name_their_classes(suspects: Run) -> None:
    order = DRAWN.permutation(N)
    write_table("labels.csv", ["id", "label"], [(IDS[row], WORDS[LABELS[row]]) for row in range(N)])
    write_table("p.csv", [*WORDS, "id"], [[*PREDICTIONS[row], IDS[row]] for row in order])
    status, printed, said = suspects("--labels", "labels.csv", "--predictions", "p.csv", "--output", "out.csv",
                                     "--count", "2")  # fmt: skip
    assert (status, said) == (0, "")
    rows = read_table("out.csv")
    assert [(IDS.index(r["id"]), r["label"], r["suggested_label"], float(r["score"])) for r in rows] == expected()
    assert [int(row["rank"]) for row in rows] == list(range(1, N + 1))
    assert {row["method"] for row in rows} == {"margin"}
    lines = printed.splitlines()
    doubted = sum(row["label"] != row["suggested_label"] for row in rows)
    assert lines[0] == f"margin: another label is likelier for {doubted} of {N} examples; the lowest scores:"
    assert [line.split()[:3] for line in lines[2:4]] == [
        [str(k), "image", rows[k - 1]["id"].split()[1]] for k in (1, 2)
    ]
    assert lines[4:] == [f"out.csv: all {N} examples, the most suspect first"]


def test_arrays_are_named_by_their_keys_and_rows_by_their_number(suspects: Run) -> None:
    np.savez("all.npz", p=PREDICTIONS.astype(np.float16), y=LABELS.astype(np.uint8), names=np.array(WORDS))
    given = ["--labels", "all.npz:y", "--predictions", "all.npz:p", "--output", "out.csv", "--classes"]
    assert suspects(*given, "all.npz:names")[0] == 0
    rows = read_table("out.csv")
    assert [(int(r["id"]), r["label"]) for r in rows] == [
        (row, label) for row, label, *_ in expected(predictions=PREDICTIONS.astype(np.float16))
    ]
    assert suspects(*given, "dog,cat,eel")[0] == 0
    assert read_table("out.csv") == rows


def test_embeddings_are_scored_by_the_method_and_its_options(suspects: Run) -> None:
    embeddings = DRAWN.normal(size=(N, 5)).astype(np.float32) + np.eye(5)[LABELS].astype(np.float32)
    save_file({"e": embeddings, "y": LABELS}, "e.safetensors")
    np.save("ids.npy", np.array(IDS))
    given = ["--labels", "e.safetensors:y", "--embeddings", "e.safetensors:e", "--ids", "ids.npy", "--output", "o.csv"]
    options = ["--option", "k=3", "--option", "metric=euclidean"]
    assert suspects(*given, "--method", "neighbour_vote", *options)[0] == 0
    by_vote = expected(predictions=None, embeddings=embeddings, k=3, metric="euclidean", classes=None)
    assert [(IDS.index(row["id"]), float(row["score"])) for row in read_table("o.csv")] == [
        (row, score) for row, _, _, score in by_vote
    ]
    assert suspects(*given, "--method", "linear_probe", "--seed", "1")[0] == 0
    probed = expected(predictions=None, embeddings=embeddings, method="linear_probe", seed=1, classes=None)
    assert [float(row["score"]) for row in read_table("o.csv")] == [score for *_, score in probed]


def test_one_table_may_hold_labels_and_predictions_and_numbers_stay_numbers(suspects: Run) -> None:
    write_table("all.csv", ["", "y", "0", "1", "2"], [[row, LABELS[row], *PREDICTIONS[row]] for row in range(N)])
    assert suspects("--labels", "all.csv:y", "--predictions", "all.csv", "--output", "out.csv")[0] == 0
    rows = read_table("out.csv")
    assert [(int(r["id"]), int(r["label"]), float(r["score"])) for r in rows] == [
        (row, WORDS.index(label), score) for row, label, _, score in expected()
    ]


def test_what_is_printed_holds_no_control_characters(suspects: Run) -> None:
    write_table("a.csv", ["id", "label"], [("\x1b[31m\n" + "x" * 80, "a"), ("ü", "b")])
    np.save("p.npy", np.array([[0.1, 0.9], [0.2, 0.8]]))
    status, printed, _ = suspects("--labels", "a.csv", "--predictions", "p.npy", "--classes", "a,b")
    assert status == 0
    first, second = printed.splitlines()[2:]
    assert first.split()[1] == "\\x1b[31m\\n" + "x" * 47 + "..."
    assert second.split()[1] == "ü"


def test_what_the_method_says_of_its_scores_is_on_stderr(suspects: Run) -> None:
    np.savez("a.npz", p=PREDICTIONS[::-1], y=LABELS)
    status, printed, said = suspects("--labels", "a.npz:y", "--predictions", "a.npz:p")
    assert status == 0
    assert said.startswith("margin: the likeliest class is the given label in ")
    assert "likeliest class" not in printed


def write_mistakes() -> None:
    np.savez("a.npz", p=PREDICTIONS, y=LABELS)
    write_table("labels.csv", ["id", "label"], zip(IDS, LABELS, strict=True))
    write_table("fewer.csv", ["id", *WORDS], [[IDS[row], *PREDICTIONS[row]] for row in range(1, N)])
    write_table("more.csv", ["id", *WORDS], [["new", 1, 0, 0], *([IDS[r], *PREDICTIONS[r]] for r in range(N))])
    write_table("twice.csv", ["id", *WORDS], [[IDS[row // 2], *PREDICTIONS[row]] for row in range(N)])
    write_table("headless.csv", PREDICTIONS[0].tolist(), PREDICTIONS[1:])
    write_table("columns.csv", ["a", "b"], [(1, 2)])
    write_table("empty.csv", ["label"], [("a",), (" ",)])
    write_table("ids.csv", ["id"], [("a",)])
    Path("out.csv").write_text("mine\n")


MISTAKES = [
    (["--labels", "a.npz:y"], "--predictions and --embeddings are missing; pass one of them beside --labels."),
    (["--labels", "a.npz:p", "--predictions", "a.npz:p"], "a.npz:p has shape [40, 3]; expected labels [n]."),
    (["--labels", "labels.csv", "--predictions", "fewer.csv"],
     "fewer.csv has no row for the id image 0.png, which labels.csv has; both must have the same ids."),
    (["--labels", "labels.csv", "--predictions", "more.csv"],
     "labels.csv has no row for the id new, which more.csv has; both must have the same ids."),
    (["--labels", "labels.csv", "--predictions", "twice.csv"],
     "twice.csv holds the id image 0.png twice; each stands once."),
    (["--labels", "labels.csv", "--predictions", "headless.csv"],
     f"headless.csv: the first line holds numbers ({', '.join(map(str, PREDICTIONS[0]))}); expected names of columns."),
    (["--labels", "labels.csv", "--predictions", "fewer.csv:dog"],
     "fewer.csv is a table, all of whose columns are read; leave out :dog."),
    (["--labels", "labels.csv", "--predictions", "ids.csv"],
     "ids.csv has the columns id; expected others, of numbers."),
    (["--labels", "columns.csv", "--predictions", "a.npz:p"],
     "columns.csv has the columns a, b, none of which is called label; name the one that holds the labels, as in "
     "columns.csv:b."),
    (["--labels", "empty.csv", "--predictions", "a.npz:p"],
     "empty.csv, line 3: column label is empty; expected a label."),
    (["--labels", "none.csv", "--predictions", "a.npz:p"], "none.csv is not there; expected a file."),
    (["--labels", "out.txt", "--predictions", "a.npz:p"],
     "out.txt ends in .txt; allowed are .csv, .tsv, .parquet, .npy, .npz, .safetensors."),
    (["--labels", "a.npz:y", "--predictions", "a.npz:p", "--output", f"{'x' * 300}.csv"],
     f"{'x' * 300}.csv cannot be used: its name is too long"),
    (["--labels", "a.npz:y", "--predictions", "a.npz:p", "--ids", "ids.csv"],
     "ids.csv holds 1 ids for 40 labels; expected one for each."),
    (["--labels", "a.npz:y", "--predictions", "a.npz:p", "--ids", "a.npz:p"],
     "a.npz:p holds float64 [40, 3]; expected ids [n], texts or whole numbers."),
    (["--labels", "a.npz:y", "--predictions", "a.npz:p", "--option", "k"], "--option is k; expected NAME=VALUE."),
    (["--labels", "a.npz:y", "--predictions", "a.npz:p", "--output", "out.csv"],
     "--output is out.csv, which holds something else; name a file that is not there."),
    (["--labels", "a.npz:y", "--predictions", "a.npz:p", "--output", "out.txt"],
     "--output is out.txt; its name must end in .csv."),
    (["--labels", "a.npz:y", "--predictions", "a.npz:p", "--method", "margim"],
     'method "margim" is not known; did you mean "margin"?'),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "sentence"), MISTAKES)
def test_a_mistake_is_one_sentence_and_the_status_is_1(suspects: Run, arguments: list[str], sentence: str) -> None:
    write_mistakes()
    status, printed, said = suspects(*arguments)
    assert (status, printed) == (1, "")
    assert said.startswith(sentence)
    assert said.count("\n") == 1
    assert Path("out.csv").read_text() == "mine\n"
