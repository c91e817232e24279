"""Models, and how they are built."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from heft.errors import HeftError
from heft.models.build import ModelSpec, build_model
from heft.registry import declarations

# A quick run leaves out the model that takes a second to build.
MODELS = [
    pytest.param(name, marks=pytest.mark.slow) if name == "resnet18" else name
    for name, declared in declarations("models").items()
    if not any(option.is_required for option in declared.options.values())  # packages of networks, by their names
]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("shape", [(1, 4, 4), (1, 28, 28), (3, 8, 8)])
def test_every_model_returns_logits_and_has_no_second_derivative_of_zero(name: str, shape: tuple[int, ...]) -> None:
    model = build_model(name, {}, shape, 7, seed=0)
    assert model(torch.randn(4, *shape)).shape == (4, 7)
    kinked = (nn.MaxPool2d, nn.BatchNorm2d) if name == "resnet18" else (nn.ReLU, nn.MaxPool2d, nn.BatchNorm2d)
    assert not any(isinstance(module, kinked) for module in model.modules())


@pytest.mark.parametrize("name", MODELS)
def test_the_seed_decides_the_initial_parameters_and_the_global_generator_is_untouched(name: str) -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first, again, other = (build_model(name, {}, (1, 8, 8), 3, seed) for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    for a, b, c in zip(first.parameters(), again.parameters(), other.parameters(), strict=True):
        assert torch.equal(a, b)
        assert not torch.equal(a, c) or len(a.unique()) == 1  # a normalisation starts with ones and zeros


def test_the_mlp_is_784_128_64_10_with_gelu() -> None:
    model = build_model("mlp", {}, (1, 28, 28), 10, seed=0)
    assert [tuple(p.shape) for p in model.parameters() if p.dim() == 2] == [(128, 784), (64, 128), (10, 64)]
    assert sum(isinstance(module, nn.GELU) for module in model.modules()) == 2


@pytest.mark.slow
@pytest.mark.parametrize("norm", ["group", "batch"])
def test_resnet18_is_the_network_for_small_images_of_he_et_al(norm: str) -> None:
    model = build_model("resnet18", {"norm": norm}, (3, 32, 32), 10, seed=0)
    # 17 convolutions and a linear layer, and three shortcuts where the shape changes
    assert sum(isinstance(module, nn.Conv2d) for module in model.modules()) == 17 + 3
    assert sum(parameter.numel() for parameter in model.parameters()) == 11_173_962
    kind = {"group": nn.GroupNorm, "batch": nn.BatchNorm2d}[norm]
    assert sum(isinstance(module, kind) for module in model.modules()) == 20
    assert any("running_mean" in name for name, _ in model.named_buffers()) == (norm == "batch")
    sizes: list[tuple[int, ...]] = []
    for module in model:
        module.register_forward_hook(lambda _layer, _inputs, output: sizes.append(tuple(output.shape[1:])))
    model(torch.zeros(1, 3, 32, 32))
    assert sizes[2:11] == [(64, 32, 32)] * 3 + [(128, 16, 16)] * 2 + [(256, 8, 8)] * 2 + [(512, 4, 4)] * 2


def test_options_reach_the_model() -> None:
    model = ModelSpec("mlp", {"hidden": [5]}, [1, 2, 2], 3).build(seed=0)
    assert [tuple(p.shape) for p in model.parameters()] == [(5, 4), (5,), (3, 5), (3,)]


def test_a_specification_survives_json() -> None:
    spec = ModelSpec("mlp", {"hidden": [5]}, [1, 2, 2], 3)
    assert ModelSpec(**spec.as_json()) == spec


@pytest.mark.parametrize(
    ("name", "options", "shape", "sentence"),
    [
        ("mpl", {}, (1, 8, 8), 'model "mpl" is not known; did you mean "mlp"'),
        ("mlp", {"width": 3}, (1, 8, 8), "model mlp: width is not an option; Known: frozen, hidden, weights"),
        ("mlp", {"n_classes": 3}, (1, 8, 8), "model mlp: n_classes is not an option; Known: frozen, hidden, weights"),
        ("resnet18", {"norm": "layer"}, (1, 8, 8), 'model resnet18: norm is "layer"; Known: batch, group'),
        ("cnn", {}, (12,), r"model cnn takes images of shape \[channels, height, width\], at least \[1, 4, 4\]"),
        ("cnn", {}, (1, 2, 2), r"at least \[1, 4, 4\], but an input has shape \[1, 2, 2\]"),
        ("nowhere:build", {}, (1, 8, 8), 'model "nowhere:build" cannot be imported'),
        (
            "own_model:missing",
            {},
            (1, 8, 8),
            r"own_model.py has no missing; it has: build, wrong, alone, any_option, pict",
        ),
        (
            "own_model:build",
            {},
            (1, 2, 2),
            "model own_model:build: width is missing; own_model:build has no default for it",
        ),
        ("own_model:build", {"wide": 3}, (1, 2, 2), "model own_model:build: wide is not an option; did you mean"),
        (
            "own_model:alone",
            {},
            (1, 2, 2),
            r"model own_model:alone takes \(shape\); its function has to take \(input_s",
        ),
        ("own_model:NUMBER", {}, (1, 2, 2), r"NUMBER is a int; expected a function \(input_shape, n_classes\)"),
        ("own_model:wrong", {}, (1, 8, 8), r"returns shape \[2, 1\] for 2 examples; expected \[2, 3\]"),
    ],
)
def test_what_does_not_fit_is_one_sentence(
    name: str, options: dict[str, int], shape: tuple[int, ...], sentence: str, own_model: None
) -> None:
    with pytest.raises(HeftError, match=sentence):
        build_model(name, options, shape, 3, seed=0)


def test_a_users_own_function_is_found_in_the_working_folder(own_model: None) -> None:
    for name in ("own_model:build", "own_model:any_option"):
        model = build_model(name, {"width": 4}, (1, 2, 2), 3, seed=0)
        assert model(torch.zeros(1, 1, 2, 2)).shape == (1, 3)


@pytest.fixture
def own_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_model.py").write_text(
        "from torch import nn\n"
        "from heft.models.declare import model\n"
        "def build(input_shape, n_classes, *, width):\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(4, width), nn.Linear(width, n_classes))\n"
        "def wrong(input_shape, n_classes):\n"
        "    return nn.Sequential(nn.Flatten(), nn.LazyLinear(1))\n"
        "def alone(shape):\n"
        "    return nn.Flatten()\n"
        "def any_option(input_shape, n_classes, **options):\n"
        "    return build(input_shape, n_classes, **options)\n"
        "@model(modality='images')\n"
        "def pictures(input_shape, n_classes):\n"
        "    return nn.Sequential(nn.Flatten(), nn.LazyLinear(n_classes))\n"
        "NUMBER = 3\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "own_model", raising=False)


@pytest.mark.parametrize("name", ["cnn", "resnet18"])
def test_a_model_of_pictures_on_a_table_is_one_sentence_with_model_source_and_modality(name: str) -> None:
    facts = {"source": "wine", "modality": {"name": "tables"}, "input_shape": [13], "class_names": ["a", "b"]}
    sentence = (
        rf"^model {name} takes images, but the inputs of data source wine are tables \(an input has shape \[13\]\); "
        r"choose logistic, mlp, or a model of your own\.$"
    )
    with pytest.raises(HeftError, match=sentence):
        ModelSpec.for_data({"name": name, "options": {}}, facts)


@pytest.mark.parametrize("name", ["logistic", "mlp"])
@pytest.mark.parametrize("shape", [(13,), (2, 7), (3, 4, 5)])
def test_logistic_and_mlp_take_inputs_of_any_shape(name: str, shape: tuple[int, ...]) -> None:
    model = build_model(name, {}, shape, 3, seed=0)
    assert model(torch.zeros(2, *shape)).shape == (2, 3)


def test_the_modality_of_a_model_of_ones_own_is_heeded(own_model: None) -> None:
    name, facts = "own_model:pictures", {"source": "wine", "modality": {"name": "tables"}, "input_shape": [13]}
    with pytest.raises(HeftError, match=rf"^model {name} takes images, but the inputs of data source wine are tables"):
        ModelSpec.for_data({"name": name, "options": {}}, facts)
    with pytest.raises(HeftError, match=rf"model {name} takes images of shape \[channels, height, width\]"):
        build_model(name, {}, (13,), 2, 0)
    assert build_model(name, {}, (1, 4, 4), 2, 0)[1].weight.shape == (2, 16)
