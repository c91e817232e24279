"""A person's table is a data set, in whatever form it comes; what its columns are is found out and said."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from table_files import PLAIN, N, kinds, read, with_column, words, write

from heft.errors import HeftError


def test_rows_are_numbers_and_words_and_ids_say_the_line(tmp_path: Path) -> None:
    content = b'age,"colour, or so",pay\n1,"a ""b""",low\n\n ?,"two\nlines",high\n2.5e1,,low\n1,\xc3\xbc,high\n'
    data = read(write(tmp_path, content))
    assert words(data) == [[1, 'a "b"'], [None, "two\nlines"], [25, None], [1, "ü"]]
    assert [name.partition("-")[2] for name in data.ids] == ["line-2", "line-4", "line-6", "line-7"]
    assert data.class_names == ["high", "low"]
    assert data.labels.tolist() == [1, 0, 1, 0]
    assert data.modality_facts["with_missing"] == ["age", "colour, or so"]
    assert data.notes == ["a.csv: 4 rows; columns inferred: numeric age; categorical colour, or so (3)."]


SAME = [
    ("a.tsv", {"sep": "\t"}, {}),
    ("a.csv", {"sep": ";"}, {}),
    ("a.txt", {"sep": "|"}, {}),
    ("a.csv", {"encoding": "utf-8-sig"}, {}),
    ("a.csv", {"encoding": "utf-16"}, {}),
    ("a.csv", {"encoding": "cp1252"}, {"encoding": "cp1252"}),
    ("a.csv", {"sep": ";", "decimal": ","}, {}),
    ("a.csv", {"decimal": ","}, {"decimal": ","}),
    ("a.csv.gz", {}, {}),
    ("a.CSV.bz2", {}, {}),
    ("a.csv.xz", {"lineterminator": "\r\n"}, {}),
    ("a.parquet", {}, {}),
]


@pytest.mark.parametrize(("name", "how", "options"), SAME)
def test_the_same_rows_in_another_form_are_the_same_data(
    tmp_path: Path, name: str, how: dict[str, Any], options: dict[str, Any]
) -> None:
    content = {**PLAIN, "height": [k * 0.37 - 3 for k in range(N)], "città": [None, "È", "x, y", "z"] * (N // 4)}
    plain, other = read(write(tmp_path, content, "plain.csv")), read(write(tmp_path, content, name, **how), **options)
    assert words(other) == words(plain)
    assert [name[:8] for name in other.ids] == [name[:8] for name in plain.ids]
    assert other.labels.tolist() == plain.labels.tolist()


NOTES: list[tuple[Sequence[Any], dict[str, Any], str, str]] = [
    (["7"] * N, {}, "left out", 'Left out: x (the same value, "7", in each row).'),
    ([""] * N, {}, "left out", "Left out: x (without a value)."),
    (["1", "1.0"] * (N // 2), {}, "left out", "Left out: x (the same value in each row)."),
    (list(range(N)), {}, "left out", "Left out: x (the number of each row)."),
    ([f"n{k}" for k in range(N)], {}, "left out", "Left out: x (40 different texts in 40 rows)."),
    ([f"n{k}" for k in range(N)], {"categorical": ["x"]}, "categorical", ""),
    (list(range(N)), {"numeric": ["x"]}, "numeric", ""),
    ([3, 7.5] * (N // 2), {}, "numeric", "a.csv: 40 rows; columns inferred: numeric age, x; categorical colour (3)."),
    (["3", "1,234.5"] * (N // 2), {}, "numeric", ""),
    (
        [*[1, 2] * (N // 2 - 1), "much", "3"],
        {},
        "numeric",
        'Column x holds numbers and 1 other value, such as "much" (a.csv, line 40); that one is treated as missing.',
    ),
    (
        [*["a", "b", 2] * (N // 3), "a"],
        {},
        "categorical",
        "Column x holds numbers in 32 % of the rows with a value, and texts in the others; all are taken for "
        "categories (numeric: [x] keeps the numbers alone).",
    ),
    (
        [*["a", "b", 2] * (N // 3), "a"],
        {"numeric": ["x"]},
        "numeric",
        'Column x holds numbers and 27 other values, such as "a" (a.csv, line 2); those are treated as missing.',
    ),
    (
        [*[1, 2] * (N // 2 - 2), "inf", 4, "-Infinity", "1e60"],
        {},
        "numeric",
        "Column x holds 3 infinite values (a.csv, line 38), which are treated as missing.",
    ),
    (
        [f"c{k // 2}" for k in range(N)],
        {"max_categories": 6},
        "categorical",
        "Column x has 20 categories; the 5 most frequent ones of the training split have a column each, and the others "
        "share one (max_categories).",
    ),
    (
        [f"2024-02-{1 + k % 29:02d}" for k in range(N)],
        {},
        "date",
        "Dates become days: x (year-month-day).",
    ),
    (
        [f"{1 + k % 28}.2.2024" for k in range(N)],
        {},
        "date",
        "Dates become days: x (day.month.year).",
    ),
    (
        [f"2/{1 + k % 28}/2024" for k in range(N)],
        {},
        "date",
        "Dates become days: x (month/day/year).",
    ),
    (
        [*[f"2024-02-{1 + k % 29:02d}" for k in range(N - 1)], "soon"],
        {},
        "date",
        'Column x holds dates and 1 other value, such as "soon" (a.csv, line 41); that one is treated as missing.',
    ),
    ([True, False] * (N // 2), {}, "categorical", ""),
    ([2.5, 1] * (N // 2), {"leave_out": ["x"]}, "", ""),
]


@pytest.mark.parametrize(("values", "options", "kind", "note"), NOTES)
def test_what_a_column_is_taken_for_is_said(
    tmp_path: Path, values: Sequence[Any], options: dict[str, Any], kind: str, note: str
) -> None:
    data = read(write(tmp_path, with_column("x", values)), **options)
    assert kinds(data).get("x", "") == kind
    assert not note or note in data.notes
    assert len(data.ids) == N


def test_spaces_after_commas_do_not_break_quotes(tmp_path: Path) -> None:
    data = read(write(tmp_path, b'age, city, pay\n1, "a, b", low\n2, "c", high\n'))
    assert words(data) == [[1, "a, b"], [2, "c"]]


def test_the_separator_of_long_rows_is_found_though_the_last_one_looked_at_is_cut(tmp_path: Path) -> None:
    rows = b"".join(b"%d;%s;%s\n" % (k, b"x, " * 9000, [b"low", b"high"][k % 2]) for k in range(6))
    assert read(write(tmp_path, b"age;text;pay\n" + rows)).modality_facts["names"] == ["age"]


def test_columns_of_a_file_without_a_header_are_numbers_from_1(tmp_path: Path) -> None:
    data = read(write(tmp_path, b"1,low,7,8\n2,high,9,6\n"), header=False, target=2, leave_out=[3], categorical=["4"])
    assert words(data) == [[1, "8"], [2, "6"]]
    assert data.modality_facts["names"] == ["1", "4"]
    assert data.ids[0].endswith("-line-1")


def test_one_mark_and_three_digits_are_decimals_where_both_are_possible(tmp_path: Path) -> None:
    content = b"a;b;c;pay\n1,234;1.234;1.234,5;low\n2,345;2.345;2.345,5;high\n"
    assert words(read(write(tmp_path, content))) == [[1.234, 1.234, 1234.5], [2.345, 2.345, 2345.5]]


def test_a_different_measurement_in_each_row_is_no_id_whatever_its_name(tmp_path: Path) -> None:
    columns = {"grid": [k + 0.5 for k in range(N)], "user_id": [k * k for k in range(N)]}
    assert kinds(read(write(tmp_path, {**PLAIN, **columns}))) == {
        **{"age": "numeric", "colour": "categorical", "grid": "numeric", "user_id": "left out"}
    }


def test_numbers_dates_and_what_is_missing_have_the_right_values(tmp_path: Path) -> None:
    content = {
        "n": [*[1, 2] * (N // 2 - 2), "inf", "1,234.5", "much", "NA"],
        "d": ["1970-01-01", "1970-02-01 12:00"] * (N // 2),
        "pay": PLAIN["pay"],
    }
    rows = np.array(words(read(write(tmp_path, content))), dtype=float)
    np.testing.assert_array_equal(rows[-4:, 0], [np.nan, 1234.5, np.nan, np.nan])
    assert rows[:2].tolist() == [[1, 0], [2, 31.5]]


def test_a_column_of_parquet_that_holds_lists_is_left_out_and_as_a_target_refused(tmp_path: Path) -> None:
    content = {**PLAIN, "tags": [["a", "b"], ["c"]] * (N // 2)}
    path = write(tmp_path, content, "a.parquet")
    assert list(read(path).modality_facts["left_out"]) == ["tags"]
    with pytest.raises(
        HeftError, match=r"^target tags of \S+a.parquet holds several values a row \(list<.*one class a"
    ):
        read(path, target="tags")


KINDS = ("date", "categorical", "numeric", "numeric", "categorical")


def test_types_of_parquet_are_kept(tmp_path: Path) -> None:
    dates = pd.to_datetime(["2020-01-01", "2020-01-03"] * (N // 2))
    content = {"d": dates, "b": [True, False] * (N // 2), "i": range(N), "f": np.arange(N) / 7, "pay": PLAIN["pay"]}
    content["c"] = pd.Categorical(["u", None] * (N // 2))
    data = read(write(tmp_path, content, "a.parquet"), numeric=["i"])
    assert kinds(data) == dict(zip("dbifc", KINDS, strict=True))
    assert words(data)[1] == [18264, "false", 1, 1 / 7, None]
    assert data.ids[1].endswith("-row-2")
