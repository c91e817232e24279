"""Inputs of each type that is stored: what is written comes back, changed bytes are refused, and memory is spared."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from heft.artifacts import read_json, read_parquet
from heft.data.checked import check_raw_data
from heft.data.input_writer import write_inputs, write_pieces, write_texts
from heft.data.inputs import InputsFile
from heft.data.modalities.images import Images
from heft.data.row_stream import RowStream, Unreadable
from heft.data.sources.declare import RawData
from heft.data.stored import store_inputs
from heft.errors import HeftError

TEXTS = ["", "plain", "Zürich – 東京", "a\nb\0c", "x" * 9000, ""]


def spoil(path: Path, place: int) -> None:
    """Changes one bit of what follows the header."""
    content = bytearray(path.read_bytes())
    content[8 + int.from_bytes(content[:8], "little") + place] ^= 1
    path.write_bytes(content)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.uint8])
@pytest.mark.parametrize("shape", [(5, 3, 8, 8), (1, 1), (5000, 2), (3, 3, 90, 90)])
def test_arrays_of_each_type_come_back_and_any_reader_of_safetensors_finds_them(
    tmp_path: Path, dtype: type, shape: tuple[int, ...]
) -> None:
    inputs = np.random.default_rng(0).integers(0, 255, shape).astype(dtype)
    write_inputs(tmp_path / "i", inputs)
    opened = InputsFile(tmp_path / "i")
    assert (len(opened), opened.shape, opened.dtype) == (shape[0], shape[1:], np.dtype(dtype))
    assert np.array_equal(opened.verified(), inputs)
    assert np.array_equal(load_file(tmp_path / "i")["inputs"], inputs)
    spoil(tmp_path / "i", inputs.nbytes - 1)
    with pytest.raises(HeftError, match="was changed"):
        InputsFile(tmp_path / "i").verified(np.array([shape[0] - 1]))


def test_pieces_make_the_same_file_as_the_whole(tmp_path: Path) -> None:
    inputs = np.random.default_rng(0).standard_normal((301, 7))
    write_inputs(tmp_path / "whole", inputs)
    n = write_pieces(tmp_path / "pieces", np.split(inputs, [1, 2, 200]), (7,), inputs.dtype, at_most=301)
    assert n == 301
    assert (tmp_path / "pieces").read_bytes() == (tmp_path / "whole").read_bytes()
    assert write_pieces(tmp_path / "fewer", [inputs[:9]], (7,), inputs.dtype, at_most=10**9) == 9
    assert np.array_equal(InputsFile(tmp_path / "fewer").verified(), inputs[:9])


def test_texts_of_any_length_come_back_one_by_one_and_by_rows(tmp_path: Path) -> None:
    write_texts(tmp_path / "i", TEXTS)
    opened = InputsFile(tmp_path / "i")
    texts = opened.verified()
    assert (len(opened), opened.shape, list(texts), texts[-2], texts[1:3]) == (6, (), TEXTS, TEXTS[4], TEXTS[1:3])
    assert texts[np.array([4, 1])] == [TEXTS[4], TEXTS[1]]
    spoil(tmp_path / "i", sum(len(text.encode()) for text in TEXTS) - 1)  # the last byte of row 4
    assert InputsFile(tmp_path / "i").verified(np.array([1, 2]))[2] == TEXTS[2]
    with pytest.raises(HeftError, match="was changed"):
        InputsFile(tmp_path / "i").verified(np.array([0, 4]))


def test_texts_whose_places_were_changed_are_refused(tmp_path: Path) -> None:
    write_texts(tmp_path / "i", TEXTS)
    spoil(tmp_path / "i", sum(len(text.encode()) for text in TEXTS) + 8)
    with pytest.raises(HeftError, match="was changed"):
        InputsFile(tmp_path / "i")


class Numbered(RowStream):
    """Pictures of one colour, of which every third cannot be read."""

    shape, dtype = (3, 2, 2), np.dtype(np.uint8)

    def __init__(self, n: int) -> None:
        self.n = n

    def __len__(self) -> int:
        return self.n

    def read(self, threads: int) -> Iterator[np.ndarray | Unreadable]:
        for number in range(self.n):
            yield Unreadable("it is cut") if number % 3 == 0 else np.full(self.shape, number, np.uint8)


def raw_stream(n: int) -> RawData:
    ids = [f"p{number}" for number in range(n)]
    groups, split = ["g", "h"] * (n // 2), ["train"] * n
    labels = np.arange(n) % 2
    return RawData(Numbered(n), labels, ids, ["a", "b"], modality=Images(pixels=True), groups=groups, split=split)


def test_what_cannot_be_read_leaves_the_data_set_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    stored = store_inputs(tmp_path / "i", check_raw_data(raw_stream(6), "mine"), "mine")
    assert InputsFile(tmp_path / "i").verified()[:, 0, 0, 0].tolist() == [1, 2, 4, 5]
    data = stored.data
    assert data.ids == ["p1", "p2", "p4", "p5"]
    assert data.labels.tolist() == [1, 0, 0, 1]
    assert data.groups == ["h", "g", "g", "h"]
    assert data.skipped == [("p0", "it is cut"), ("p3", "it is cut")]
    assert len(set(stored.hashes)) == 4


def test_a_stream_of_which_nothing_can_be_read_is_one_sentence(tmp_path: Path) -> None:
    raw = RawData(Numbered(1), [0], ["p0"], ["a", "b"], modality=Images(pixels=True))
    with pytest.raises(HeftError, match=r"^Data source mine: none of 1 inputs can be read; the first, p0: it is cut"):
        store_inputs(tmp_path / "i", check_raw_data(raw, "mine"), "mine")


def test_pixels_are_normalised_where_they_are_read_and_shown_as_they_are() -> None:
    import torch

    pixels = np.random.default_rng(0).integers(0, 256, (4, 3, 5, 5)).astype(np.uint8)
    stored = Images([0.5, 0.25, 0.0], [0.5, 2.0, 1.0], pixels=True)
    mean, std = (np.reshape(value, (3, 1, 1)) for value in (stored.mean, stored.std))
    expected = (pixels / 255 - mean) / std
    assert np.allclose(stored.batch(torch.from_numpy(pixels)).numpy(), expected, atol=1e-6)
    floats = Images(stored.mean, stored.std)
    assert stored.show(pixels, [1]) == floats.show(expected.astype(np.float32), [1])
    assert stored.check(pixels) is pixels
    with pytest.raises(HeftError, match="pixels are uint8"):
        stored.check(expected)


def test_prepare_lists_what_was_skipped(tmp_path: Path) -> None:
    from heft.data.prepare import prepare
    from heft.own_module import MODULES_VARIABLE

    (tmp_path / "cut.py").write_text(
        "from test_stored_inputs import raw_stream\n\ndef load():\n    return raw_stream(60)\n", encoding="utf-8"
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(MODULES_VARIABLE, str(tmp_path))
        said = prepare("cut:load", None, tmp_path / "data")
    assert said.notes == [
        "20 examples were skipped: p0 (it is cut); p3 (it is cut); p6 (it is cut); p9 (it is cut); p12 (it is cut) and "
        "so on; manifest.json lists all."
    ]
    manifest = read_json(tmp_path / "data/manifest.json")
    assert (manifest["n"], len(manifest["skipped"]), manifest["input_shape"]) == (40, 20, [3, 2, 2])
    assert read_parquet(tmp_path / "data/examples.parquet")["row"].tolist() == list(range(40))
