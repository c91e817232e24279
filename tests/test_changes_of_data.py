"""A run says what changed of the data since the one before: files, columns, examples, labels and classes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from table_files import PLAIN, N

from heft.artifacts import read_json
from heft.data.prepare import prepare

Change = Callable[[pd.DataFrame], pd.DataFrame]
BEFORE = pd.DataFrame({**PLAIN, "key": range(100, 100 + N), "weight": [k / 7 for k in range(N)]})
FILE = "the file a.csv has other content"


def prepared(table: pd.DataFrame, **options: Any) -> list[str]:
    table.to_csv("a.csv", index=False)
    return prepare("table", None, Path("data"), {"path": "a.csv", "target": "pay", **options}).changes


def put(row: int, column: str, value: Any) -> Change:
    def change(table: pd.DataFrame) -> pd.DataFrame:
        table.loc[row, column] = value
        return table

    return change


CHANGES: list[tuple[Change, dict[str, Any], str]] = [
    (lambda table: table, {}, ""),
    (lambda table: table[["pay", "key", "weight", "colour", "age"]], {}, f"{FILE}; no example"),
    (lambda table: table[::-1], {}, f"{FILE}; no example"),
    (lambda table: table[::-1], {"id": "key"}, f"{FILE}; no example"),
    (lambda table: table[:-3], {}, f"{FILE}; 3 examples are gone; 37 examples, before 40"),
    (lambda table: table[1:], {"id": "key"}, f"{FILE}; 1 example is gone; 39 examples, before 40"),
    (
        lambda table: pd.concat([table[:1].assign(weight=77, pay="none", key=9), table]),
        {"leave_out": ["key"]},
        f"{FILE}; 1 example is new; 41 examples, before 40; the class none is new",
    ),
    (put(3, "weight", 1.25), {"id": "key"}, f"{FILE}; 1 example has other content"),
    (put(3, "weight", 1.25), {"leave_out": ["key"]}, f"{FILE}; 1 example is new; 1 example is gone"),
    (lambda table: put(3, "pay", "low")(table)[::-1], {}, f"{FILE}; 1 example has another label"),
    (lambda table: put(3, "pay", "low")(table)[::-1], {"id": "key"}, f"{FILE}; 1 example has another label"),
    (
        lambda table: table.assign(postcode=["10115", "20095"] * (N // 2))[::-1],
        {"categorical": ["colour"]},
        f"{FILE}; the column postcode (numeric) is new; the other columns have the same values; 40 examples as before",
    ),
    (
        lambda table: table.drop(columns="colour").assign(age=[*range(30), *range(10)], b=1, c=2)[1:],
        {"leave_out": ["key"]},
        f"{FILE}; 2 columns are new, b (left out), c (left out); the column colour is gone; 2 columns have other "
        "values, age, weight; 39 examples, before 40",
    ),
    (
        lambda table: table.assign(age=table["age"].map("{} years".format)),
        {"id": "key"},
        f"{FILE}; the column age is categorical, before numeric; 40 examples as before",
    ),
    (
        lambda table: table.assign(pay=table["pay"].replace("low", "little")),
        {},
        f"{FILE}; 20 examples have another label; the class little is new; the class low is gone",
    ),
]


@pytest.mark.parametrize(("change", "options", "said"), CHANGES)
def test_a_second_run_says_what_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: Change, options: dict[str, Any], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert prepared(BEFORE.copy(), **options) == []
    assert prepared(change(BEFORE.copy()), **options) == ([f"Since the last run: {said}."] if said else [])
    written = Path("data/manifest.json").read_bytes()
    again = prepare("table", None, Path("data"), {"path": "a.csv", "target": "pay", **options})
    assert again.changes == []
    assert Path("data/manifest.json").read_bytes() == written


def test_files_and_the_source_are_said_where_they_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    prepared(BEFORE)
    BEFORE.to_csv("b.csv", index=False)
    changed = prepare("table", None, Path("data"), {"path": "b.csv", "target": "pay"}).changes
    assert changed == ["Since the last run: the file b.csv is new; the file a.csv is gone; no example."]
    changed = prepare("digits", None, Path("data")).changes
    assert changed == ["Since the last run: the data come from the source digits, before from table."]
    assert read_json("data/manifest.json")["changes"] == changed
    (tmp_path / "data/examples.parquet").write_bytes(b"")
    assert prepared(BEFORE) == []
