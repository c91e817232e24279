"""Classifiers of the package timm, where it is installed, and what is said where it is not."""

from pathlib import Path

import pytest
import torch
from network_cases import COLOURED, GREY, pictures, saved

from heft.errors import HeftError
from heft.models import timm as by_name
from heft.models.build import build_model

NAMES = ("test_resnet", "test_vit", "test_convnext", "test_efficientnet")


def test_a_package_that_is_missing_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(by_name, "find_spec", lambda name: None)
    with pytest.raises(HeftError, match=r'^model timm needs the package timm, not installed here: `pip install "heft'):
        build_model("timm", {"name": "resnet18"}, COLOURED, 4, 0)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_networks_are_sound_for_the_channels_and_classes_of_the_data(name: str) -> None:
    pytest.importorskip("timm")
    arguments = {"img_size": 32} if "vit" in name else {}
    for shape in (COLOURED, GREY):
        model = build_model("timm", {"name": name, "arguments": arguments}, shape, 4, 0)
        with torch.no_grad():
            assert model(pictures(shape)).shape == (6, 4)


def test_weights_of_a_file_are_taken_but_for_other_classes(tmp_path: Path) -> None:
    timm = pytest.importorskip("timm")
    given = timm.create_model("test_resnet", num_classes=7)
    options = {"name": "test_resnet", "weights": saved(tmp_path, given, "weights.safetensors")}
    state = build_model("timm", options, COLOURED, 4, 0).state_dict()
    same = [name for name, value in given.state_dict().items() if torch.equal(state[name], value)] if state else []
    assert set(given.state_dict()) - set(same) == {"fc.weight", "fc.bias"}


def test_an_unknown_name_is_one_sentence() -> None:
    pytest.importorskip("timm")
    with pytest.raises(HeftError, match=r'model timm: name is "resnet81"; did you mean "resnet18"'):
        build_model("timm", {"name": "resnet81"}, COLOURED, 4, 0)
