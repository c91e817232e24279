"""What is drawn of a picture: torchvision's transforms, the same for the same seed; what does not fit is refused."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from augmentation_cases import FLIP, SEVERAL, drawn, examples
from torch import nn
from torchvision.transforms import v2
from training_cases import SETTINGS, N

from heft.data.examples import Examples
from heft.data.modalities.images import Images
from heft.data.modalities.tables import Tables
from heft.errors import HeftError
from heft.registry import declarations, find
from heft.training.augment import Augmenter
from heft.training.loop import train_one

BY_TORCHVISION: dict[str, tuple[dict[str, Any], Callable[[], nn.Module]]] = {
    "random_crop": ({"padding": 3, "border": "edge"}, lambda: v2.RandomCrop(8, padding=3, padding_mode="edge")),
    "random_resized_crop": ({"scale": [0.3, 0.9]}, lambda: v2.RandomResizedCrop(8, (0.3, 0.9), (0.75, 1.333))),
    "horizontal_flip": ({"probability": 0.4}, lambda: v2.RandomHorizontalFlip(0.4)),
    "rotation": ({"degrees": 30}, lambda: v2.RandomRotation(30, interpolation=v2.InterpolationMode.BILINEAR)),
    "color_jitter": ({"brightness": 0.5, "hue": 0.1}, lambda: v2.ColorJitter(0.5, 0.2, 0.2, 0.1)),
    "random_erasing": ({"probability": 0.8}, lambda: v2.RandomErasing(0.8, (0.02, 0.33))),
}


@pytest.mark.parametrize("name", declarations("training/augmentations"))
def test_each_change_is_that_of_torchvision_by_the_same_draws(name: str) -> None:
    options, reference = BY_TORCHVISION[name]
    picture = torch.rand(3, 8, 8, generator=torch.Generator().manual_seed(0))
    change, expected = find("training/augmentations", name).configured(options)((3, 8, 8)), reference()
    changed = 0
    with torch.random.fork_rng(devices=[]):
        for seed in range(10):
            torch.manual_seed(seed)
            ours = change(picture)
            torch.manual_seed(seed)
            assert torch.equal(ours, expected(picture))
            assert ours.shape == picture.shape
            changed += not torch.equal(ours, picture)
    assert changed


def test_changes_see_pictures_in_0_to_1_and_the_model_normalised_ones() -> None:
    torch.testing.assert_close(drawn(FLIP), examples().inputs.flip(-1))
    erased = drawn([{"random_erasing": {"probability": 1.0}}])
    different = (erased - examples().inputs).abs() > 1e-9
    assert different.flatten(1).any(1).all()
    torch.testing.assert_close(erased[different], torch.full_like(erased[different], -0.2 / 0.5))  # black


def test_a_crop_is_a_part_of_the_picture_with_its_border_at_a_place_of_each_examples_own() -> None:
    padded = nn.functional.pad(examples().inputs, (2, 2, 2, 2), value=-0.4)
    places = []
    for picture, bordered in zip(drawn([{"random_crop": {"padding": 2}}]), padded, strict=True):
        fits = [
            (top, left)
            for top in range(5)
            for left in range(5)
            if torch.allclose(bordered[:, top : top + 8, left : left + 8], picture)
        ]
        assert len(fits) == 1
        places += fits
    assert len(set(places)) > 8


def test_a_draw_follows_from_seed_epoch_and_example_alone() -> None:
    whole = drawn(SEVERAL)
    assert torch.equal(drawn(SEVERAL), whole)
    some = torch.tensor([7, 2, 11])
    assert torch.equal(drawn(SEVERAL, some), whole[some])
    for other in (drawn(SEVERAL, epoch=2), drawn(SEVERAL, seed=8)):
        assert not torch.isclose(other, whole).flatten(1).all(1).any()


REFUSED: list[tuple[list[Any], str]] = [
    ([{"random_resized_crop": {"scale": [0.9, 0.3]}}], r"scale is \[0.9, 0.3\]; the first may not be above the second"),
    ([{"random_crop": {"paddin": 1}}], 'paddin is not an option; did you mean "padding"?'),
    (["horizontal_flips"], 'augmentation "horizontal_flips" is not known; did you mean "horizontal_flip"'),
]


@pytest.mark.parametrize(("augmentation", "sentence"), REFUSED)
def test_an_option_that_does_not_fit_is_one_sentence(augmentation: list[Any], sentence: str) -> None:
    with pytest.raises(HeftError, match=sentence):
        drawn(augmentation)


def test_tables_and_pictures_of_two_channels_are_refused_in_one_sentence() -> None:
    rows = torch.randn(N, 5)
    settings = replace(SETTINGS, augmentation=["horizontal_flip"])
    table = Examples(np.arange(N).astype(str), rows, torch.arange(N) % 3, modality=Tables())
    said = r"^training.augmentation takes images, but the inputs of this data set are none; leave it out.$"
    for train in (table, replace(table, modality=None)):
        with pytest.raises(HeftError, match=said):
            train_one(nn.Linear(5, 3), train, settings, order_seed=1)
    with pytest.raises(HeftError, match="color_jitter takes pictures of 1 or 3 channels; these have 2"):
        Augmenter(replace(SETTINGS, augmentation=["color_jitter"]), torch.rand(4, 2, 8, 8), Images(), 0)


OWN = """
from heft.training.augmentations.declare import augmentation

@augmentation()
def darker(shape, *, by: float = 0.5):
    return lambda picture: picture * by

@augmentation()
def halved(shape):
    return lambda picture: picture[:, ::2]

@augmentation()
def failing(shape):
    return lambda picture: picture / shape
"""
SAID = {
    "halved": r"augmentation\[0\].my_halves:halved returns shape \[1, 4, 8\] and type float64 for shape \[1, 8, 8\]",
    "failing": r"augmentation fails on pictures of shape \[1, 8, 8\]: TypeError: .* \(.*my_halves.py, line 14\)",
}


def test_an_augmentation_of_ones_own_changes_pictures_or_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_halves.py").write_text(OWN, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    darkened = drawn([{"my_halves:darker": {"by": 0.25}}])
    torch.testing.assert_close(darkened * 0.5 + 0.2, (examples().inputs * 0.5 + 0.2) * 0.25)
    for name, sentence in SAID.items():
        with pytest.raises(HeftError, match=sentence):
            drawn([f"my_halves:{name}"])
