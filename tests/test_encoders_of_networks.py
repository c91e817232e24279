"""Encoders made of a network that a person names: features are what goes into its classifier."""

from pathlib import Path

import pytest
import torch
from encoder_cases import pictures
from safetensors.torch import save_file
from torch import Tensor, nn

from heft.data.encoders.classifier import ClassifierFeatures
from heft.data.encoders.timm_network import timm_network
from heft.data.encoders.torchvision_network import torchvision_network
from heft.errors import HeftError

MEAN = torch.tensor([0.485, 0.456, 0.406]).reshape(3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).reshape(3, 1, 1)


def input_of(layer: nn.Module, network: nn.Module, given: Tensor) -> Tensor:
    """What a layer of the network is called with for these pictures."""
    seen: list[Tensor] = []
    handle = layer.register_forward_hook(lambda _, inputs, output: seen.append(inputs[0]))
    with torch.no_grad():
        network.eval()((given / 255 - MEAN) / STD)
    handle.remove()
    return seen[0]


@pytest.fixture(scope="module")
def resnet(tmp_path_factory: pytest.TempPathFactory) -> tuple[nn.Module, Path]:
    """A network of torchvision with seven classes and random weights, and the file that holds them."""
    from torchvision.models import resnet18

    torch.manual_seed(0)
    network = resnet18(num_classes=7)
    file = tmp_path_factory.mktemp("weights") / "resnet18.pth"
    torch.save(network.state_dict(), file)
    return network, file


def test_torchvision_features_are_what_goes_into_the_classifier(resnet: tuple[nn.Module, Path]) -> None:
    network, file = resnet
    encoder = torchvision_network(name="resnet18", weights=str(file), size=64)
    given = pictures(3, 64)
    features = encoder.encode(given)
    assert encoder.width == 512
    assert torch.allclose(features, input_of(network.fc, network, given), atol=1e-6)  # type: ignore[arg-type]
    assert features.std() > 0.01


def test_weights_change_the_identity_and_a_copy_of_their_file_does_not(
    resnet: tuple[nn.Module, Path], tmp_path: Path
) -> None:
    network, file = resnet
    state = network.state_dict()
    save_file(state, tmp_path / "copy.safetensors")
    torch.save({"state_dict": {**state, "conv1.weight": state["conv1.weight"] + 1}}, tmp_path / "other.pth")
    copy, other = (
        torchvision_network(name="resnet18", weights=str(tmp_path / name), size=32)
        for name in ("copy.safetensors", "other.pth")
    )
    assert copy.files == torchvision_network(name="resnet18", weights=str(file), size=64).files
    assert copy.files != other.files


@pytest.mark.parametrize(("name", "classifier"), [("test_resnet", "fc"), ("test_vit", "head")])
def test_timm_features_are_what_goes_into_the_classifier(name: str, classifier: str, tmp_path: Path) -> None:
    import timm

    torch.manual_seed(0)
    network = timm.create_model(name, num_classes=7)
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    encoder = timm_network(name=name, weights=str(tmp_path / "weights.safetensors"))
    facts = network.pretrained_cfg
    given = pictures(3, facts["input_size"][1])
    mean, std = (torch.tensor(facts[key]).reshape(3, 1, 1) for key in ("mean", "std"))
    as_of_imagenet = ((given / 255 - mean) / std * STD + MEAN) * 255
    expected = input_of(network.get_submodule(classifier), network, as_of_imagenet)
    assert torch.allclose(encoder.encode(given), expected, atol=1e-5)


def wrong(tmp_path: Path, resnet_file: Path) -> dict[str, tuple[dict[str, object], str]]:
    """Options of torchvision_network, and what is said of them."""
    (tmp_path / "text.pth").write_text("no weights")
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save(lambda_free(), tmp_path / "module.pth")
    return {
        "name": ({"name": "resnet81"}, 'name is "resnet81"; did you mean "resnet18"?'),
        "no linear layer": (
            {"name": "squeezenet1_1"},
            "squeezenet1_1 has no linear layer that could be its classifier",
        ),
        "nowhere": ({"name": "resnet18", "weights": "gone.pth"}, "there is no file gone.pth."),
        "text": ({"name": "resnet18", "weights": str(tmp_path / "text.pth")}, "text.pth holds no weights; expected"),
        "list": ({"name": "resnet18", "weights": str(tmp_path / "list.pth")}, "list.pth holds no state_dict"),
        "pickle": ({"name": "resnet18", "weights": str(tmp_path / "module.pth")}, "module.pth holds no weights"),
        "another": ({"name": "resnet34", "weights": str(resnet_file)}, "lack layer1.2.bn1.bias; is this another"),
        "wider": ({"name": "wide_resnet50_2", "weights": str(resnet_file)}, "is this another network's file?"),
    }


def lambda_free() -> nn.Module:
    """What torch.save pickles whole, class and all."""
    return nn.Linear(2, 2)


@pytest.mark.parametrize("case", ["name", "no linear layer", "nowhere", "text", "list", "pickle", "another", "wider"])
def test_what_cannot_be_an_encoder_is_one_sentence(case: str, tmp_path: Path, resnet: tuple[nn.Module, Path]) -> None:
    options, said = wrong(tmp_path, resnet[1])[case]
    with pytest.raises(HeftError) as caught:
        torchvision_network(**options)
    assert str(caught.value).startswith("Encoder torchvision_network: ")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_size_that_a_network_cannot_take_is_one_sentence() -> None:
    network = nn.Sequential(nn.Flatten(), nn.Linear(3 * 64 * 64, 5))
    assert ClassifierFeatures("pets", network, 64, (0, 0, 0), (1, 1, 1)).width == 5
    with pytest.raises(HeftError, match=r"^Encoder pets: the network takes no pictures of 96 x 96 pixels \(mat1"):
        ClassifierFeatures("pets", network, 96, (0, 0, 0), (1, 1, 1))
    with pytest.raises(HeftError, match=r"^Encoder pets: features have shape \[1, 3, 8, 8\]; expected \[n, width\]"):
        ClassifierFeatures("pets", nn.Identity(), 8, (0, 0, 0), (1, 1, 1))


def test_an_unknown_name_of_timm_is_one_sentence() -> None:
    with pytest.raises(HeftError, match=r'^Encoder timm_network: name is "test_vitt"; did you mean "test_vit'):
        timm_network(name="test_vitt")
