"""A split and its planted noise have streams of their own, which an experiment freezes one by one."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from heft.data.noise import plant_noise
from heft.data.settings import DataSettings, NoiseSettings
from heft.data.split import draw_split
from heft.data.split_facts import split_facts
from heft.seeds import derive_seed

SETTINGS = DataSettings(train=60, validation=20, test=20, noise=NoiseSettings("clustered", 0.25))
N_CLASSES = 4


def data() -> tuple[pd.DataFrame, np.ndarray]:
    """Examples whose rows in the inputs are in another order than their ids."""
    generator = np.random.default_rng(0)
    ids = [f"x{k:03d}" for k in range(120)]
    rows = generator.permutation(120)
    labels = np.arange(120) % N_CLASSES
    examples = pd.DataFrame({"id": ids, "row": rows, "content_hash": ids, "label": labels})
    return examples, generator.standard_normal((120, 1, 5, 5)).astype(np.float32)


def train_of(seed: int, resample: list[str]) -> pd.DataFrame:
    return draw_split(*data(), replace(SETTINGS, resample=resample), seed)["train"]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("resample", "noise_seed"), [(["split", "noise"], 7), (["noise"], 7), (["split"], 0), ([], 0), (["init"], 0)]
)
def test_the_planted_labels_are_those_of_the_noises_own_stream_on_the_inputs_of_the_rows(
    resample: list[str], noise_seed: int
) -> None:
    train, inputs = train_of(7, resample), data()[1]
    true_labels = train["true_label"].to_numpy()
    expected = plant_noise(
        true_labels, inputs[train["row"]], SETTINGS.noise, N_CLASSES, derive_seed(noise_seed, "noise")
    )
    assert train["label"].tolist() == expected.tolist()


def test_a_frozen_split_is_that_of_seed_0_whatever_becomes_of_the_noise() -> None:
    ids = {
        (seed, *resample): train_of(seed, resample)["id"].tolist()
        for seed in (0, 7)
        for resample in (["noise"], ["split"])
    }
    assert ids[0, "noise"] == ids[7, "noise"] == ids[0, "split"]
    assert ids[7, "split"] != ids[0, "split"]


def test_another_seed_plants_other_labels_where_noise_is_drawn_anew() -> None:
    labels = [train_of(seed, ["noise"])["label"].tolist() for seed in (0, 7)]
    assert labels[0] != labels[1]


def test_facts_of_a_split_without_noise_have_a_rate_of_zero() -> None:
    settings = replace(SETTINGS, noise=NoiseSettings("none", 0.25), resample=["split"])
    splits = draw_split(*data(), settings, 3)
    names = [str(label) for label in range(N_CLASSES)]
    assert split_facts(data()[0], splits, settings, 3, names) == {
        "seed": 3,
        "n": {"train": 60, "validation": 20, "test": 20},
        "asked": {"train": 60, "validation": 20, "test": 20},
        "noise": "none",
        "rate": 0.0,
        "n_wrong": None,
        "resample": ["split"],
        "duplicates": {"taking_part": "one", "n_copies": 0, "n_left_out": 0},
        "conflicting_duplicates": [],
        "near_duplicates": [],
        "trusted": None,
        "n_guiding": 20,
        "leaked": [],
        "absent_classes": {"train": [], "validation": [], "test": []},
        "notes": [],
        "shared_notes": [],
    }
    noisy = split_facts(data()[0], draw_split(*data(), SETTINGS, 3), SETTINGS, 3, names)
    assert (noisy["rate"], noisy["n_wrong"]) == (0.25, 15)


def test_every_class_has_its_share_of_every_split_and_ids_are_in_order() -> None:
    splits = draw_split(*data(), SETTINGS, 1)
    for name, split in splits.items():
        counts = split["true_label"].value_counts()
        assert set(counts) == {getattr(SETTINGS, name) // N_CLASSES}
        assert split["id"].is_monotonic_increasing
        assert split["row"].tolist() == data()[0].set_index("id").loc[split["id"], "row"].tolist()
