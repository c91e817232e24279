"""Arrays and columns are read from files as they were written; each mistake is a sentence that names the file."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_tensors

from heft.data.arrays import array_place, read_array
from heft.data.columns import read_columns
from heft.errors import HeftError

NUMBERS = np.arange(6, dtype=np.float16).reshape(2, 3)


def test_each_format_gives_the_array_that_was_written(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", NUMBERS)
    np.savez(tmp_path / "a.npz", only=NUMBERS)
    np.savez_compressed(tmp_path / "b.npz", one=NUMBERS, two=np.array(["cat", "dög"]))
    save_file({"x": NUMBERS, "y": NUMBERS + 1}, tmp_path / "a.safetensors")
    for named in ("a.npy", "a.npz", "a.npz:only", "b.npz:one", "a.safetensors:x"):
        array = read_array(tmp_path / named)
        assert array.dtype == np.float16
        np.testing.assert_array_equal(array, NUMBERS)
    assert read_array(f"{tmp_path}/b.npz:two").tolist() == ["cat", "dög"]


def test_foreign_byte_order_and_bytes_become_numbers_and_texts(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.array([1.5, 2.5], dtype=">f4"))
    np.save(tmp_path / "b.npy", np.array(["cat", "dög".encode()], dtype="S"))
    assert torch.from_numpy(read_array(tmp_path / "a.npy")).tolist() == [1.5, 2.5]
    assert read_array(tmp_path / "b.npy").tolist() == ["cat", "dög"]


def test_a_file_whose_name_holds_a_colon_comes_before_a_key(tmp_path: Path) -> None:
    assert array_place("a.npz:b") == (Path("a.npz"), "b")
    assert array_place("C:/a") == (Path("C:/a"), None)
    np.save(tmp_path / "a.npz:b.npy", NUMBERS)
    np.testing.assert_array_equal(read_array(tmp_path / "a.npz:b.npy"), NUMBERS)


def written(folder: Path, name: str) -> None:
    """A file with a mistake, by its name."""
    np.savez(folder / "several.npz", one=NUMBERS, two=NUMBERS)
    np.save(folder / "alone.npy", NUMBERS)
    np.save(folder / "objects.npy", np.array([{}, None]), allow_pickle=True)
    np.savez(folder / "objects.npz", words=np.array(["a", None]))
    (folder / "pickled.npy").write_bytes(pickle.dumps([1, 2]))
    (folder / "short.npy").write_bytes((folder / "alone.npy").read_bytes()[:-3])
    (folder / "short.npz").write_bytes((folder / "several.npz").read_bytes()[:-30])
    (folder / "empty.npy").write_bytes(b"")
    (folder / "words.txt").write_text("cat")
    (folder / "folder.npy").mkdir()
    (folder / "short.safetensors").write_bytes(b"12345678")
    save_tensors({"x": torch.zeros(2, dtype=torch.bfloat16)}, folder / "bfloat16.safetensors")
    np.savez(folder / "nothing.npz")


MISTAKES = [
    ("several.npz", r"several.npz holds one, two; name one of them, as in \S+several.npz:one.$"),
    ("several.npz:three", r"several.npz holds one, two; there is no three.$"),
    ("nothing.npz", r"nothing.npz holds no array.$"),
    ("alone.npy:x", r"alone.npy holds one array, without keys; leave out :x.$"),
    ("objects.npy", r"objects.npy holds objects that only pickle could read, which may run code; save numbers or"),
    ("objects.npz:words", r"objects.npz:words holds objects that only pickle could read"),
    ("pickled.npy", r"pickled.npy holds objects that only pickle could read"),
    ("short.npy", r"short.npy cannot be read as an array \("),
    ("short.npz:one", r"short.npz:one cannot be read as an array \("),
    ("short.safetensors", r"short.safetensors cannot be read as an array \("),
    ("bfloat16.safetensors", r"bfloat16.safetensors has a type that numpy cannot read \(.*\); save it as float32.$"),
    ("empty.npy", r"empty.npy is empty.$"),
    ("words.txt", r"words.txt ends in .txt; allowed are .npy, .npz, .safetensors.$"),
    ("folder.npy", r"folder.npy is a folder; expected a file.$"),
    ("none.npy", r"none.npy is not there; expected a file.$"),
]


@pytest.mark.parametrize(("named", "sentence"), MISTAKES)
def test_a_file_that_is_no_array_is_one_sentence(tmp_path: Path, named: str, sentence: str) -> None:
    written(tmp_path, named)
    with pytest.raises(HeftError, match=sentence) as error:
        read_array(tmp_path / named)
    assert "\n" not in str(error.value)


def test_columns_are_texts_and_numbers_with_their_lines(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes('\ufeffid, cat ,dog\n"x\ny",0.25,.75\n\nNA,1e-3,1\n'.encode())
    columns = read_columns(file)
    assert list(columns.texts) == ["id", "cat", "dog"]
    assert list(columns.column("id")) == ["x\ny", "NA"]
    assert columns.numbers("cat").tolist() == [0.25, 0.001]
    assert list(columns.lines) == [2, 5]
    (tmp_path / "a.tsv").write_text("a\tb\n1,5\t2\n")
    assert list(read_columns(tmp_path / "a.tsv").column("a")) == ["1,5"]


COLUMN_MISTAKES = [
    (b"a,a\n1,2\n", "a.csv: the header names the column a twice."),
    (b"a,\n1,2\n", "a.csv: column 2 has no name in the header; the first line names the columns."),
    (b"a,b\n1,2\n1,2,3\n", "a.csv, line 3 has 3 fields; the header has 2."),
    (b"a,b\n", "a.csv has a header (a, b) and no row."),
    (
        b"a\n\xe9\n",
        'a.csv is not UTF-8: line 2 holds \'\\xe9\'; state its encoding (cp1252 reads "é", cp1251 reads "й", '
        'cp1253 reads "ι"), or save it as UTF-8.',
    ),
    (b'a\n"x\n', "a.csv, line 2 cannot be read as CSV (unexpected end of data)."),
    (b"", "a.csv is empty."),
]


@pytest.mark.parametrize(("content", "sentence"), COLUMN_MISTAKES)
def test_a_file_that_has_no_columns_is_one_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    file = tmp_path / "a.csv"
    file.write_bytes(content)
    with pytest.raises(HeftError) as error:
        read_columns(file)
    assert str(error.value) == f"{tmp_path}/{sentence}"


def test_a_text_that_is_no_number_is_named_with_its_line_and_column(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("a,b\n1,2\n\n3,x\n4, \n")
    columns = read_columns(file)
    with pytest.raises(HeftError, match=r'a.csv, line 4: column b holds "x", which is no number.$'):
        columns.numbers("b")
    with pytest.raises(HeftError, match=r"a.csv has the columns a, b; there is no c.$"):
        columns.column("c")
