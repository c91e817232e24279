"""A table that is no data set is one sentence, which names the file, the column and the line."""

import gzip
from pathlib import Path
from typing import Any

import pytest
from table_files import read, write

from heft.errors import HeftError


def numbers(n: int) -> bytes:
    return b"x,pay\n" + b"".join(b"%d,%d\n" % (k % 3, k) for k in range(n))


MISTAKES: list[tuple[bytes, dict[str, Any], str]] = [
    (b"", {}, "{file} is empty."),
    (b"x,pay\n", {}, "{file} has a header (x, pay) and no row."),
    (b"x,x,pay\n1,2,a\n", {}, "{file}: the header names the column x twice."),
    (b"x,pay\n1,a\n1,2,a\n", {}, "{file}, line 3 has 3 fields; the header has 2."),
    (b'x,pay\n"1\n2",a\n\n3\n', {}, "{file}, line 5 has 1 field; the header has 2."),
    (b'x,pay\n1,"a\n', {}, "{file}, line 2 cannot be read as CSV (unexpected end of data)."),
    (
        b"x,pay\nZ\xfcrich,a\n",
        {},
        "{file} is not UTF-8: line 2 holds 'Z\\xfcrich'; state its encoding (cp1252 reads \"Zürich\", cp1251 reads "
        '"Zьrich", cp1253 reads "Zόrich", gb18030 reads "Z黵ich"), or save it as UTF-8.',
    ),
    (
        "x,pay\n1,ä\n".encode("utf-16-le"),
        {},
        "{file} holds zero bytes, so that it is no UTF-8 text; state its encoding, as in encoding: utf-16-le, or save "
        "it as UTF-8.",
    ),
    (b"x,pay\n1,a\n", {"encoding": "utf-9"}, 'encoding is "utf-9", which is unknown; cp1252, cp1250 are some.'),
    (
        b"x,pay\n1,a\n",
        {"target": None},
        "target is not given; name the column that holds the class; {file} has x, pay.",
    ),
    (
        b"x,pay\n1,a\n",
        {"target": "wage"},
        "target names the column wage, which {file} lacks; it has x, pay.",
    ),
    (b"x,pay\n1,a\n", {"numeric": ["y"]}, "numeric names the column y, which {file} lacks; it has x, pay."),
    (
        b"x,pay\n1,a\n",
        {"leave_out": ["pay"]},
        "target and leave_out name the same column pay; a column has one use.",
    ),
    (
        b"A11,6,1\nA12,48,2\n",
        {},
        "target names the column pay, which {file} lacks; it has A11, 6, 1, as of a row: give the file a header, or "
        "set header: false.",
    ),
    (b"A11,1,1\nA12,48,2\n", {}, "{file}: the header names the column 1 twice; if that line is a row, add a header."),
    (b"1,a\n1,2,a\n", {"header": False, "target": 2}, "{file}, line 2 has 3 fields; the first line has 2."),
    (b"1,a\n1,a\n", {"header": False, "target": 3}, "target names the column 3, which {file} lacks; it has 1, 2."),
    (b"x,pay\n1,\n2,NA\n", {}, "target pay of {file} has no value in any row."),
    (
        b"x,pay\n1,a\n2,a\n",
        {},
        "target pay holds one class alone (a); weighing data needs rows of at least 2 classes.",
    ),
    (
        numbers(50),
        {},
        "target pay holds 50 different numbers (0 to 49), which is a regression, and Heft weighs data of "
        "classification alone; add a column of classes, such as whether pay is above 24.5.",
    ),
    (
        b"x,pay\n" + b"".join(b"1,%d.5\n" % (k % 12) for k in range(4000)),
        {},
        "target pay holds 12 different numbers (0.5 to 11.5), which is a regression, and Heft weighs data of "
        "classification alone; add a column of classes, such as whether pay is above 6.",
    ),
    (
        b"x,pay\n" + b"".join(b"1,text %d\n" % k for k in range(30)),
        {},
        'target pay holds 30 different texts in 30 rows, such as "text 0"; name a column of classes, each of which has '
        "several rows.",
    ),
    (
        b"x,pay\n1,drama\n2,comedy;drama\n3,comedy;crime\n",
        {},
        'target pay holds several labels in a row, such as "comedy;drama", and Heft weighs data with one class a row; '
        "make a column of each label, and name one of them.",
    ),
    (
        b"x,pay\n1,\"['a', 'b']\"\n2,[]\n",
        {},
        "target pay holds several labels in a row, such as \"['a', 'b']\", and Heft weighs data with one class a row; "
        "make a column of each label, and name one of them.",
    ),
    (
        b"x,pay\n1,a\n1,b\n",
        {},
        '{file} has no column to learn from (x: the same value, "1", in each row).',
    ),
    (
        b"x,y,pay\n1,u,a\n2,v,b\n",
        {"numeric": ["y"]},
        'numeric has y, in which no value is a number; the first is "u" (a.csv, line 2).',
    ),
    (
        b"x,y,pay\n1,u,a\n2,u,b\n",
        {"id": "y"},
        'id y holds "u" twice (a.csv, line 2 and a.csv, line 3); ids are unique.',
    ),
    (b"x,y,pay\n1,u,a\n2,,b\n", {"id": "y"}, "id y has no value in a.csv, line 3; each row needs one."),
    (
        b"x,y,pay\n1,a,a\n2,,b\n",
        {"true_label": "y"},
        "true_label y has no value in a.csv, line 3; each row needs one.",
    ),
    (
        b"x,y,pay\n1,train,a\n2,later,b\n",
        {"split": "y"},
        'split y holds "later" (a.csv, line 3); allowed are train, validation and test.',
    ),
]


@pytest.mark.parametrize(("content", "options", "sentence"), MISTAKES)
def test_a_table_that_is_no_data_set_is_one_sentence(
    tmp_path: Path, content: bytes, options: dict[str, Any], sentence: str
) -> None:
    path = write(tmp_path, content)
    with pytest.raises(HeftError) as error:
        read(path, **options)
    assert str(error.value).removeprefix("Data source table: ") == sentence.replace("{file}", path)


def test_a_file_of_another_kind_is_one_sentence(tmp_path: Path) -> None:
    allowed = (
        "allowed are .csv, .tsv, .tab, .txt, .jsonl, .ndjson, .json, .parquet, and texts compressed as .gz, .bz2, .xz"
    )
    for name, ending, hint in [
        ("a.xlsx", ".xlsx", "; save the sheet as CSV"),
        ("a", "no suffix", ""),
        ("a.gz", "no suffix", ""),
    ]:
        path = write(tmp_path, b"x", name)
        with pytest.raises(HeftError) as error:
            read(path)
        assert str(error.value) == f"{path} ends in {ending}; {allowed}{hint}."
    with pytest.raises(HeftError, match=r"a.csv.gz cannot be decompressed \("):
        read(write(tmp_path, gzip.compress(b"x,pay\n" * 99)[:20], "a.csv.gz"))
    with pytest.raises(HeftError, match=r"a.csv.gz cannot be decompressed \("):
        read(write(tmp_path, b"x,pay\n1,2\n", "a.csv.gz"))
    with pytest.raises(HeftError, match=r"a.parquet cannot be read as Parquet \("):
        read(write(tmp_path, b"x,pay\n1,2\n", "a.parquet"))
