"""Examples that are nearly the same are found, whatever the kind of input, and different ones are not."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from heft.data.checked import check_raw_data
from heft.data.inputs import InputsFile
from heft.data.modalities.declare import Modality
from heft.data.modalities.images import Images
from heft.data.modalities.tables import Tables
from heft.data.modalities.texts import Texts
from heft.data.near.components import components
from heft.data.near.examples import numbered
from heft.data.near.pictures import similar_pictures
from heft.data.near.tables import similar_rows
from heft.data.near.texts import similar_texts
from heft.data.prepare import examples_table
from heft.data.reading import read_source
from heft.data.sources.declare import RawData
from heft.data.stored import store_inputs
from heft.registry import find

N = 60


def photos(side: int = 32, n: int = N) -> np.ndarray:
    """Smooth pictures of three channels, uint8 [n, 3, side, side], no two alike."""
    generator = np.random.default_rng(0)
    coarse = generator.integers(0, 200, (n, 6, 6, 1)) + generator.integers(0, 56, (n, 6, 6, 3))
    coarse = coarse.astype(np.uint8)
    large = [np.asarray(Image.fromarray(picture).resize((side, side), Image.Resampling.BICUBIC)) for picture in coarse]
    return np.moveaxis(np.stack(large), -1, 1)


def as_jpeg(picture: np.ndarray) -> np.ndarray:
    written = io.BytesIO()
    Image.fromarray(np.moveaxis(picture, 0, -1)).save(written, "JPEG", quality=75)
    return np.moveaxis(np.asarray(Image.open(written)), -1, 0)


CHANGES = {
    "jpeg": as_jpeg,
    "shift": lambda picture: np.roll(picture, (1, -1), (1, 2)),
    "brighter": lambda picture: np.clip(picture.astype(int) + 12, 0, 255).astype(np.uint8),
    "less contrast": lambda picture: (picture * 0.8 + 20).astype(np.uint8),
}


def pairs_of(inputs: np.ndarray, scale: float = 1 / 255) -> list[list[int]]:
    found: list[list[int]] = similar_pictures(inputs, np.arange(len(inputs)), scale).tolist()
    return found


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_picture_and_its_changed_copy_are_a_pair_and_no_others(change: object) -> None:
    pictures = photos()
    both = np.concatenate([pictures, [change(picture) for picture in pictures[::2]]])  # type: ignore[operator]
    assert pairs_of(both) == [[row, N + nth] for nth, row in enumerate(range(0, N, 2))]


@pytest.mark.parametrize("side", [8, 28, 100])
def test_pictures_of_any_size_are_compared(side: int) -> None:
    pictures = photos(side)
    changed = np.clip(pictures[:3].astype(int) + 4, 0, 255).astype(np.uint8)
    assert pairs_of(np.concatenate([pictures, changed])) == [[0, N], [1, N + 1], [2, N + 2]]


def test_the_same_shapes_in_other_colours_and_uniform_pictures_are_different() -> None:
    pictures = photos()
    turned = pictures[:, [1, 2, 0]]
    uniform = np.stack([np.full((3, 32, 32), level, np.uint8) for level in (0, 1, 7, 200)])
    speckled = uniform.copy()
    speckled[:, 0, 0, 0] += 1
    assert pairs_of(np.concatenate([pictures, turned, uniform, speckled])) == []


def test_normalised_pictures_have_the_pairs_of_their_pixels() -> None:
    pictures = photos()
    both = np.concatenate([pictures, [as_jpeg(picture) for picture in pictures]])
    mean, std = [0.4, 0.5, 0.6], [0.2, 0.3, 0.1]
    normalised = ((both / 255 - np.reshape(mean, (3, 1, 1))) / np.reshape(std, (3, 1, 1))).astype(np.float32)
    found = Images(mean, std).near_duplicates(normalised, np.arange(2 * N))
    assert found.tolist() == pairs_of(both) == [[row, N + row] for row in range(N)]


@pytest.mark.slow
@pytest.mark.parametrize("source", ["digits", "mnist5k", "breast_cancer"])
def test_sources_that_do_not_say_otherwise_have_none(source: str) -> None:
    data = check_raw_data(read_source(find("data/sources", source), None), source)
    assert data.modality.near_duplicates(data.inputs, np.arange(len(data.inputs))).tolist() == []


def test_rows_are_near_duplicates_where_only_rounding_tells_them_apart() -> None:
    generator = np.random.default_rng(0)
    rows = generator.normal([0, 1000, 1e-3, 5], [1, 30, 1e-4, 0], (200, 4))
    rounded = np.array([[float(f"{value:.8g}") for value in row] for row in rows[:20]])
    missing, other = rows[20:22].copy(), rows[22:24].copy()
    missing[:, 0] = np.nan
    other[:, 2] += 1e-7  # a thousandth of a standard deviation
    table = np.concatenate([rows, rounded, missing, missing + np.array([0, 1e-7, 0, 0]), other])
    expected = [[row, 200 + row] for row in range(20)] + [[220, 222], [221, 223]]
    assert similar_rows(table, np.arange(len(table))).tolist() == expected
    assert Tables().near_duplicates(table[::-1], np.arange(len(table))[::-1]).tolist() == expected


def test_texts_are_near_duplicates_but_for_case_spaces_punctuation_and_a_word_of_many() -> None:
    long = "the quick brown fox jumps over the lazy dog while the slow grey cat sleeps on a warm red mat all day"
    texts = [
        "A fine film.",
        "a  FINE film!!",
        "a fine film indeed",
        "film fine a",
        long,
        long.replace("lazy", "tired"),
        long.replace("lazy", "tired").replace("grey", "black").replace("mat", "rug"),
        "!!!",
        "???",
        "",
        "今日はとても天気がいいですね本当に",
        "今日はとても天気がいいですね 本当に。",
        "昨日は雨がたくさん降りました",
    ]
    assert similar_texts(texts).tolist() == [[0, 1], [4, 5], [10, 11]]
    assert similar_texts(["one"]).tolist() == []


def test_sets_are_numbered_by_their_first_id_and_identical_copies_belong_to_them() -> None:
    pictures = photos(n=6)
    inputs = np.concatenate([pictures, [as_jpeg(pictures[4])], [as_jpeg(pictures[1])], pictures[[1, 5]]])
    ids = [f"x{9 - row}" for row in range(len(inputs))]  # backwards
    content = [str(row) for row in [*range(8), 1, 5]]
    examples = pd.DataFrame({"id": ids, "row": range(len(inputs)), "content_hash": content})
    numbers = numbered(examples, inputs, Images(0.0, 1 / 255))
    assert numbers.tolist() == [-1, 0, -1, -1, 1, -1, 1, 0, 0, -1]
    shuffled = examples.sample(frac=1, random_state=0)
    again = numbered(shuffled, inputs, Images(0.0, 1 / 255))
    assert dict(zip(shuffled["id"], again, strict=True)) == dict(zip(ids, numbers, strict=True))


def test_components_are_what_pairs_tie_together() -> None:
    assert components(np.array([[4, 2], [2, 0], [5, 3]]), 7).tolist() == [0, 1, 0, 2, 0, 2, 3]
    assert components(np.empty((0, 2), np.int64), 3).tolist() == [0, 1, 2]


def test_a_modality_that_does_not_say_has_equal_content_alone() -> None:
    class Plain(Images):
        near_duplicates = Modality.near_duplicates

    pictures = np.concatenate([photos(n=5)] * 2)
    examples = pd.DataFrame({"id": [f"x{row}" for row in range(10)], "row": range(10), "content_hash": [*"abcde"] * 2})
    assert set(numbered(examples, pictures, Plain())) == {-1}
    assert set(numbered(examples.assign(content_hash=examples["id"]), pictures, Images(0.0, 1 / 255))) == {*range(5)}


def test_there_may_be_few_pictures_or_none_with_contrast() -> None:
    assert pairs_of(photos(n=2)) == []
    assert pairs_of(np.zeros((4, 1, 20, 20), np.uint8)) == []
    assert similar_rows(np.zeros((1, 3)), np.arange(1)).tolist() == []


def test_texts_of_a_prepared_data_set_and_pixels_have_numbers_too(tmp_path: Path) -> None:
    texts = [f"the {row}th text is quite unlike the {7 * row}th" for row in range(8)]
    data = check_raw_data(RawData([*texts, texts[3].upper()], [0, 1, 0] * 3, modality=Texts()), "mine")
    stored = store_inputs(tmp_path / "texts", data, "mine")
    table = examples_table(stored.data, stored.hashes)
    assert numbered(table, InputsFile(tmp_path / "texts").verified(), Texts()).tolist() == [-1] * 3 + [0] + [-1] * 4 + [
        0
    ]
    pixels = np.concatenate([photos(n=4), [as_jpeg(photos(n=4)[2])]])
    assert Images([0.5] * 3, 0.2, pixels=True).near_duplicates(pixels, np.arange(5)).tolist() == [[2, 4]]
