"""Torchvision's classifiers by name: from scratch and from weights, other classes and channels; what does not fit."""

import pickle
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest
import torch
from network_cases import COLOURED, GREY, HEAD, NAME, built, pictures, reference, saved
from torch import nn
from torchvision import models

from heft.errors import HeftError
from heft.models.build import ModelSpec, build_model


def test_a_network_from_scratch_is_torchvisions_own_of_that_seed() -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        expected = models.get_model(NAME, num_classes=4).state_dict()
    state = built({}).state_dict()
    assert all(torch.equal(state[name], expected[name]) for name in expected)


@pytest.mark.parametrize("file", ["weights.pt", "weights.safetensors"])
def test_weights_for_other_classes_are_taken_but_for_the_layer_of_the_classes(tmp_path: Path, file: str) -> None:
    given, fresh = reference(9), built({})
    state = built({"weights": saved(tmp_path, given, file)}).state_dict()
    for name, value in given.state_dict().items():
        assert torch.equal(state[name], fresh.state_dict()[name] if name in HEAD else value), name


def test_a_network_with_all_its_weights_gives_the_logits_of_the_one_that_was_saved(tmp_path: Path) -> None:
    given = reference(4)
    model = built({"weights": saved(tmp_path, given)})
    with torch.no_grad():
        assert torch.equal(model(pictures()), given(pictures()))


def test_a_grey_picture_gives_the_logits_of_one_whose_colours_are_equal(tmp_path: Path) -> None:
    given = reference(4)
    model = built({"weights": saved(tmp_path, given)}, GREY)
    with torch.no_grad():
        torch.testing.assert_close(model(pictures(GREY)), given(pictures(GREY).expand(-1, 3, -1, -1)))


def test_other_channels_have_a_first_convolution_of_their_own_from_scratch_alone(tmp_path: Path) -> None:
    assert built({}, (5, 32, 32))(pictures((5, 32, 32))).shape == (6, 4)
    with pytest.raises(HeftError, match=r"has weights for 1 or 3 channels; an input has 5\.$"):
        built({"weights": saved(tmp_path, reference(4))}, (5, 32, 32))


def test_weights_within_a_checkpoint_and_of_a_wrapped_model_are_found(tmp_path: Path) -> None:
    given = reference(4)
    wrapped = {f"module.{name}": value for name, value in given.state_dict().items()}
    torch.save({"epoch": 3, "state_dict": wrapped}, tmp_path / "last.pt")
    state = built({"weights": str(tmp_path / "last.pt")}).state_dict()
    assert all(torch.equal(state[name], value) for name, value in given.state_dict().items())


def misfit(folder: Path, name: str) -> str:
    """A file that holds no weights of the network."""
    file, state = folder / "file.pt", reference(4).state_dict()
    match name:
        case "another":
            return saved(folder, nn.Sequential(nn.Linear(3, 4)))
        case "lacking":
            torch.save({key: value for key, value in state.items() if not key.startswith("conv5")}, file)
        case "beyond":
            torch.save({**state, "conv6.weight": torch.zeros(2), "conv7.weight": torch.zeros(2)}, file)
        case "shape":
            torch.save({**state, "conv5.0.weight": torch.zeros(7, 3, 1, 1)}, file)
        case "module":
            torch.save(reference(4), file)
        case "numbers":
            torch.save({"a": 1}, file)
        case "code":
            file.write_bytes(pickle.dumps(print, protocol=2))
        case "text":
            file.write_text("no weights", encoding="utf-8")
    return str(file)


MISFITS = {
    "another": "are of another network: none of its names is one of the model's; they begin with 0.weight, the model's",
    "lacking": r"are of another network: they lack conv5.0.weight and 4 more, which the model has\.$",
    "beyond": r"are of another network: they have conv6.weight and 1 more, which the model has not\.$",
    "shape": r"have conv5.0.weight of shape \[7, 3, 1, 1\]; the model's is \[1024, 192, 1, 1\]\.$",
    "module": r"file.pt holds no weights; expected safetensors, or what torch.save\(model.state_dict\(\), file\) wr",
    "numbers": r"file.pt holds no state_dict, \{name: tensor\}, but something else",
    "code": "file.pt holds no weights; expected safetensors, or what torch.save",
    "text": "file.pt holds no weights; expected safetensors, or what torch.save",
    "nothing": "there is no file .*file.pt",
}


@pytest.mark.parametrize("name", MISFITS)
def test_a_file_that_does_not_fit_is_one_sentence(tmp_path: Path, name: str) -> None:
    with pytest.raises(HeftError, match=rf"^model torchvision: .*{MISFITS[name]}") as caught:
        built({"weights": misfit(tmp_path, name)})
    assert "\n" not in str(caught.value)


def test_torchvisions_own_weights_come_from_its_cache_or_are_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", unreachable)
    with pytest.raises(HeftError, match=rf"the weights of {NAME} are not on this machine, and their download failed"):
        built({"weights": "default"})
    (tmp_path / "checkpoints").mkdir(exist_ok=True)
    given = reference(1000)
    saved(tmp_path / "checkpoints", given, Path(models.get_model_weights(NAME).DEFAULT.url).name)
    state = built({"weights": "default"}).state_dict()
    assert all(torch.equal(state[name], value) for name, value in given.state_dict().items() if name not in HEAD)


def unreachable(*_: Any, **__: Any) -> None:
    raise URLError("no network")


def test_unknown_names_and_weights_that_a_model_does_not_come_with_are_one_sentence() -> None:
    with pytest.raises(HeftError, match=r'model torchvision: name is "resnet81"; did you mean "resnet18"'):
        build_model("torchvision", {"name": "resnet81"}, COLOURED, 4, 0)
    with pytest.raises(HeftError, match=r"^model torchvision: name is missing; torchvision has no default for it$"):
        build_model("torchvision", {}, COLOURED, 4, 0)
    with pytest.raises(HeftError, match=r"^model mlp: weights is default, which torchvision and timm alone have; give"):
        build_model("mlp", {"weights": "default"}, COLOURED, 4, 0)


def test_arguments_reach_the_networks_function() -> None:
    narrow = ModelSpec("torchvision", {"name": "mobilenet_v2", "arguments": {"width_mult": 0.1}}, COLOURED, 4).build(0)
    assert sum(parameter.numel() for parameter in narrow.parameters()) < 200_000
    with pytest.raises(HeftError, match=r"model torchvision cannot be built: TypeError: .* argument 'wide'"):
        ModelSpec("torchvision", {"name": "mobilenet_v2", "arguments": {"wide": 2}}, COLOURED, 4).build(0)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [COLOURED, GREY, (5, 32, 32)])
def test_networks_by_name_are_sound_with_frozen_parts(shape: tuple[int, ...]) -> None:
    build_model("torchvision", {"name": NAME, "frozen": ["conv1", "stage2"]}, shape, 4, 0)
