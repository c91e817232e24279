"""A person's own arrays: how they are found, what each kind is taken for, and each mistake in a sentence."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from heft.data.checked import CheckedData, check_raw_data
from heft.data.reading import read_source
from heft.data.stored import store_inputs
from heft.errors import HeftError
from heft.registry import find
from heft.workflow.configuration.persons_paths import persons_places, with_places

N = 12
GENERATOR = np.random.default_rng(0)
PIXELS = GENERATOR.integers(0, 256, (N, 6, 8, 3)).astype(np.uint8)
TABLE = GENERATOR.standard_normal((N, 4))
LABELS = np.arange(N) % 3


def read(**options: Any) -> CheckedData:
    chosen = {name: str(value) for name, value in options.items()}
    return check_raw_data(read_source(find("data/sources", "arrays"), None, chosen), "arrays")


def saved(folder: Path, form: str, **arrays: np.ndarray) -> dict[str, Any]:
    """The options that find arrays which were saved in one of the ways that there are."""
    if form == "npz":
        np.savez(folder / "all.npz", **arrays)
        return {"path": folder / "all.npz"}
    if form == "safetensors":
        save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / "all.safetensors")
        return {"path": folder / "all.safetensors"}
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
    (folder / "README").write_text("beside")
    return {"path": folder} if form == "folder" else {name: folder / f"{name}.npy" for name in arrays}


@pytest.mark.parametrize("form", ["npz", "safetensors", "folder", "files"])
def test_arrays_are_found_in_a_file_in_a_folder_and_one_by_one(tmp_path: Path, form: str) -> None:
    data = read(**saved(tmp_path, form, inputs=PIXELS, labels=LABELS, true_labels=LABELS[::-1].copy()))
    assert np.array_equal(data.inputs, np.moveaxis(PIXELS, 3, 1))
    assert (data.labels.tolist(), data.class_names) == (LABELS.tolist(), ["0", "1", "2"])
    assert data.true_labels is not None
    assert data.true_labels.tolist() == LABELS[::-1].tolist()
    assert [name.partition("-")[2] for name in data.ids] == [f"row-{row}" for row in range(N)]


def test_an_option_goes_before_the_usual_name_and_may_name_a_key(tmp_path: Path) -> None:
    options = saved(tmp_path, "npz", X=TABLE, y=LABELS, other=LABELS[::-1])
    assert read(**options).labels.tolist() == LABELS.tolist()
    data = read(**options, labels=f"{tmp_path / 'all.npz'}:other")
    assert data.labels.tolist() == LABELS[::-1].tolist()


def test_labels_may_be_a_column(tmp_path: Path) -> None:
    assert read(**saved(tmp_path, "npz", x=TABLE, y=LABELS[:, None])).labels.tolist() == LABELS.tolist()


def test_places_of_arrays_are_found_from_the_folder_of_the_configuration(tmp_path: Path) -> None:
    np.savez(tmp_path / "all.npz", x=TABLE)
    options = with_places(
        "data/sources", "arrays", {"inputs": "all.npz:x", "labels": "all.npz"}, [tmp_path / "no", tmp_path]
    )
    assert options == {"inputs": f"{tmp_path}/all.npz:x", "labels": f"{tmp_path}/all.npz"}
    assert persons_places("data/sources", "arrays", options) == [tmp_path / "all.npz"] * 2
    with pytest.raises(HeftError, match=r'inputs is "no\.npz:x", which is in none of'):
        with_places("data/sources", "arrays", {"inputs": "no.npz:x"}, [tmp_path])


def test_more_may_be_known_of_each_example(tmp_path: Path) -> None:
    known = {
        "class_names": np.array(["zebra", "ape", "cow"]),
        "ids": np.array([f"a{row}" for row in range(N)]),
        "groups": np.arange(N) // 2,
        "split": np.array(["train"] * 8 + ["val"] * 2 + ["test"] * 2),
        "feature_names": np.array(list("abcd")),
        "trusted": np.arange(N) > 3,
    }
    inputs = TABLE.copy()
    inputs[3, 1] = np.nan
    labels = LABELS.astype(float)
    labels[5], labels[6] = np.nan, -1
    data = read(**saved(tmp_path, "npz", inputs=inputs, labels=labels, **known))
    kept = [row for row in range(N) if row not in (5, 6)]
    assert data.class_names == ["zebra", "ape", "cow"]
    assert data.labels.tolist() == LABELS[kept].tolist()
    assert data.ids == [f"a{row}" for row in kept]
    assert data.groups == [str(row // 2) for row in kept]
    assert data.split == [{"val": "validation"}.get(str(known["split"][row]), str(known["split"][row])) for row in kept]
    assert data.trusted is not None
    assert data.trusted.tolist() == [row > 3 for row in kept]
    assert data.skipped == [(f"all.npz, row {row}", "it has no label") for row in (5, 6)]
    assert (data.modality_facts["names"], data.modality_facts["with_missing"]) == (list("abcd"), ["b"])
    assert np.array_equal(data.inputs, inputs[kept], equal_nan=True)


def test_pixels_stay_bytes_that_are_mapped_and_other_pictures_are_kept_as_they_are(tmp_path: Path) -> None:
    data = read(**saved(tmp_path, "folder", x=PIXELS, y=LABELS))
    assert isinstance(data.inputs.base, np.memmap)
    assert (data.inputs.dtype, data.modality_facts["pixels"]) == (np.uint8, True)
    stored = store_inputs(tmp_path / "inputs", data, "arrays")
    assert len(set(stored.hashes)) == N
    pictures = GENERATOR.standard_normal((N, 1, 6, 8))
    data = read(**saved(tmp_path, "npz", x=pictures, y=LABELS))
    assert np.array_equal(data.inputs, pictures.astype(np.float32))
    assert (data.modality_facts["name"], data.modality_facts["mean"]) == ("images", 0)


MISTAKES: list[tuple[dict[str, np.ndarray], str]] = [
    (
        {"x": TABLE},
        "labels: no array is named, and % holds x, none of which is called labels or y; name one, as in",
    ),
    ({"x": np.zeros((N, 3, 8)), "y": LABELS}, "%:x has 3 axes (12 x 3 x 8); expected 4, pictures of n x channels"),
    ({"x": np.array(["a"] * N), "y": LABELS}, "%:x holds <U1 (12); inputs are numbers."),
    ({"x": np.zeros((N, 0)), "y": LABELS}, "%:x is empty (12 x 0)."),
    ({"x": np.full((N, 1, 4, 4), np.nan), "y": LABELS}, "%:x, row 0 holds nan; expected a finite number."),
    ({"x": np.full((N, 1, 4, 4), 1e300), "y": LABELS}, "%:x, row 0 holds 1e+300; expected a finite number."),
    ({"x": np.full((N, 2), np.inf), "y": LABELS}, "%:x, row 0: feature 0 is inf; expected a finite number."),
    (
        {"x": TABLE, "y": LABELS[1:]},
        "labels (%:y) has shape 11 and type int64; expected one for each of 12 inputs.",
    ),
    (
        {"x": TABLE, "y": np.eye(N)},
        "labels (%:y) has 12 values an example (12 x 12), and Heft weighs data with one",
    ),
    ({"x": TABLE, "y": LABELS * 0}, "labels %:y holds one class alone (0)"),
    (
        {"x": np.zeros((40, 2)), "y": np.arange(40) / 3},
        "labels %:y holds 40 different numbers (0 to 13), which is a",
    ),
    ({"x": TABLE, "y": LABELS, "ids": LABELS}, 'id %:ids holds "0" twice (all.npz, row 0 and all.npz, row 3)'),
    (
        {"x": TABLE, "y": LABELS, "class_names": np.array(["a", "b"])},
        "labels %:y holds 2 (all.npz, row 2); the 2 cl",
    ),
    (
        {"x": TABLE, "y": LABELS, "feature_names": np.array(["a"])},
        "feature_names has 1 entries; %:x has 4 columns.",
    ),
    ({"x": TABLE, "y": np.array([{}] * N)}, "%:y holds objects that only pickle could read"),
]


@pytest.mark.parametrize(("arrays", "sentence"), MISTAKES)
def test_a_mistake_is_one_sentence(tmp_path: Path, arrays: dict[str, np.ndarray], sentence: str) -> None:
    np.savez(tmp_path / "all.npz", **arrays)  # type: ignore[arg-type]  allow_pickle follows
    with pytest.raises(HeftError) as caught:
        read(path=tmp_path / "all.npz")
    assert sentence.replace("%", str(tmp_path / "all.npz")) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_without_any_array_the_sentence_says_how_one_is_named() -> None:
    with pytest.raises(HeftError, match=r"inputs: no array is named, and call it inputs or x"):
        read()
