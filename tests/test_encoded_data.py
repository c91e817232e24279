"""A prepared data set is encoded into a folder of the same form, whose inputs are features."""

import re
from pathlib import Path

import numpy as np
import pytest
from encoder_cases import pictures

from heft.artifacts import read_json
from heft.data.encoders.encode import encode
from heft.data.encoders.stream import LENGTH
from heft.data.inputs import read_inputs
from heft.data.modalities.images import Images
from heft.data.prepare import prepare
from heft.errors import HeftError
from heft.registry import added_folder

SOURCE = """
from encoder_cases import pictures
from heft.data.modalities.images import Images
from heft.data.sources.declare import RawData, source

@source(origin="drawn", licence="none needed")
def blots(data_dir):
    return RawData(pictures(300, 8).numpy(), [row % 2 for row in range(300)], modality=Images(0.5, 0.25, pixels=True))
"""
ENCODER = '''"""means: of each channel, in the half that is asked for."""

from pathlib import Path

from heft.data.encoders.declare import Encoder, encoder


@encoder(modality="images", origin="none", licence="none", paths=("offsets",))
def means(*, half: int = 0, offsets: str | None = None) -> Encoder:
    return Means(half, float(Path(offsets).read_text()) if offsets else 0.0)


class Means(Encoder):
    width = 3

    def __init__(self, half, offset):
        self.half, self.offset, self.files = half, offset, {"offset": str(offset)}

    def encode(self, batch):
        rows = batch.shape[2] // 2
        return batch[:, :, self.half * rows : (self.half + 1) * rows].float().mean(dim=(2, 3)) + self.offset
'''


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blots")
    (folder / "blots.py").write_text(SOURCE)
    with added_folder("data/sources", folder):
        prepare("blots", None, folder / "data")
    return folder / "data"


def run(data: Path, folder: Path, **further: object) -> int:
    """Encodes into `folder / "features"`; the number of examples that were encoded anew."""
    (folder / "means.py").write_text(ENCODER)
    options = further.pop("options", {})
    told: list[str] = []
    with added_folder("data/encoders", folder):
        encode(data, folder / "features", "means", options, folder / "cache", tell=told.append, **further)  # type: ignore[arg-type]
    (counted,) = re.findall(r"^300 examples, (\d+) of them encoded anew, in ", told[-1])
    return int(counted)


def test_rows_stay_and_inputs_become_features(data: Path, tmp_path: Path) -> None:
    run(data, tmp_path, options={"half": 1}, files="abc")
    plain = pictures(300, 8)[:, :, 4:].double().mean(dim=(2, 3))
    expected = LENGTH * plain / plain.norm(dim=1, keepdim=True)
    assert np.allclose(read_inputs(tmp_path / "features/inputs.safetensors"), expected, atol=1e-6)
    before, after = read_json(data / "manifest.json"), read_json(tmp_path / "features/manifest.json")
    changed = {key for key in after if after[key] != before.get(key)}
    assert changed == {"input_shape", "modality", "encoder", "read"}
    assert (after["input_shape"], after["modality"], after["read"]) == (
        [3],
        {"name": "features"},
        {"state": "abc", "files": {}, "folders": []},
    )
    assert after["encoder"] == {
        "name": "means",
        "options": {"half": 1, "offsets": None},
        "origin": "none",
        "licence": "none",
        "files": {"offset": "0.0"},
        "width": 3,
    }


def test_options_files_and_code_tell_features_apart_and_the_place_of_a_file_does_not(
    data: Path, tmp_path: Path
) -> None:
    (tmp_path / "one").write_text("1")
    (tmp_path / "elsewhere").write_text("1")
    (tmp_path / "two").write_text("2")
    assert run(data, tmp_path, code="1") == 300
    assert run(data, tmp_path, code="1") == 0
    assert run(data, tmp_path, code="1", options={"half": 0}) == 0
    assert run(data, tmp_path, code="2") == 300
    assert run(data, tmp_path, code="1", options={"half": 1}) == 300
    assert run(data, tmp_path, options={"offsets": str(tmp_path / "one")}) == 300
    assert run(data, tmp_path, options={"offsets": str(tmp_path / "elsewhere")}) == 0
    assert run(data, tmp_path, options={"offsets": str(tmp_path / "two")}) == 300


def test_data_of_another_modality_are_one_sentence(tmp_path: Path) -> None:
    prepare("breast_cancer", None, tmp_path / "data")
    with pytest.raises(HeftError) as caught:
        run(tmp_path / "data", tmp_path)
    assert str(caught.value) == ("encoder means takes images, but the inputs of data source breast_cancer are tables.")
    assert not (tmp_path / "features").exists()


@pytest.mark.parametrize("channels", [1, 2, 3, 5])
def test_an_encoder_sees_red_green_and_blue_whatever_is_stored(channels: int) -> None:
    import torch

    pixels = torch.arange(0, 2 * channels * 4 * 50, 50).reshape(2, channels, 2, 2).remainder(256).to(torch.uint8)
    stored = (pixels / 255 - 0.3) / 0.7
    expected = pixels if channels == 3 else pixels.double().mean(1, keepdim=True).round().repeat(1, 3, 1, 1)
    for modality, rows in ((Images(0.3, 0.7), stored.float()), (Images(pixels=True), pixels)):
        raw = modality.raw(rows)
        assert raw.dtype == torch.uint8
        assert torch.equal(raw.double(), expected.double())
