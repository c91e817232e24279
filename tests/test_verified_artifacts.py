"""Every artifact is verified when it is read: no byte of it can change unseen, and what is wrong is one sentence."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import torch
from workspace import ROOT

from heft.artifacts import read_json, read_parquet, read_tensors, write_json, write_parquet, write_tensors
from heft.data.examples import load_examples
from heft.data.input_writer import write_inputs
from heft.data.inputs import InputsFile, read_inputs
from heft.errors import HeftError
from heft.workflow.runtime.stage import dataset_of

INPUTS = np.random.default_rng(0).standard_normal((40, 1, 20, 20)).astype(np.float32)  # two rows a block
TABLE = pd.DataFrame({"id": ["a", "sha256:" + 64 * "0"], "score": [0.25, -1.5]})
TENSORS = {"weight": torch.arange(6.0).reshape(2, 3), "sha256:" + 64 * "1": torch.ones(2)}
FACTS = {"rows": [{"test_accuracy": 1e-05}], "name": "sha256:" + 64 * "2", "empty": {}}


class Kind(NamedTuple):
    """How an artifact is written and read, and what it holds, in a form that can be compared."""

    write: Callable[[Path], None]
    read: Callable[[Path], Any]
    content: Any


KINDS = {
    "json": Kind(lambda path: write_json(path, FACTS), read_json, FACTS),
    "parquet": Kind(
        lambda path: write_parquet(path, TABLE), lambda path: read_parquet(path).to_dict("list"), TABLE.to_dict("list")
    ),
    "safetensors": Kind(
        lambda path: write_tensors(path, TENSORS),
        lambda path: {name: tensor.tolist() for name, tensor in read_tensors(path).items()},
        {name: tensor.tolist() for name, tensor in TENSORS.items()},
    ),
    "inputs": Kind(lambda path: write_inputs(path, INPUTS), lambda path: read_inputs(path).tolist(), INPUTS.tolist()),
}


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


@pytest.fixture
def file(tmp_path: Path, kind: Kind) -> Path:
    path = tmp_path / "results" / "artifact"
    kind.write(path)
    return path


def test_what_was_written_is_what_is_read(kind: Kind, file: Path) -> None:
    assert kind.read(file) == kind.content


def test_a_flipped_bit_anywhere_is_seen_or_changes_nothing(kind: Kind, file: Path) -> None:
    whole = file.read_bytes()
    sentences = []
    places = {*range(0, len(whole), max(1, len(whole) // 200)), *range(min(len(whole), 250)), len(whole) - 1}
    for place in sorted(places):
        for bit in (1, 32):
            file.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
            try:
                assert kind.read(file) == kind.content, place
            except HeftError as error:
                sentences.append(str(error))
    assert all(
        sentence.startswith(f"{file} ") and sentence.endswith("; delete it and run again.") for sentence in sentences
    )
    assert len(sentences) > 1.8 * len(places)


def zeroed(whole: bytes) -> bytes:
    middle = len(whole) // 2
    return whole[:middle] + bytes(20) + whole[middle + 20 :]


@pytest.mark.parametrize(
    "damage",
    [lambda whole: b"", lambda whole: whole[:1], lambda whole: whole[: len(whole) // 2], lambda whole: whole[:-1],
     lambda whole: whole + b"x", lambda whole: bytes(len(whole)), lambda whole: b"{}", zeroed],
    ids=["empty", "one byte", "half", "a byte short", "a byte long", "all zero", "{}", "a stretch zeroed"],
)  # fmt: skip
def test_a_damaged_file_is_one_sentence_that_names_it(kind: Kind, file: Path, damage: Callable[[bytes], bytes]) -> None:
    file.write_bytes(damage(file.read_bytes()))
    with pytest.raises(HeftError, match=r"^\S+artifact (is damaged|was changed).*; delete it and run again\.$"):
        kind.read(file)


def test_a_folder_or_nothing_in_the_place_of_a_file_is_one_sentence(kind: Kind, file: Path) -> None:
    file.unlink()
    with pytest.raises(HeftError, match=r"artifact is missing; run again to make it\.$"):
        kind.read(file)
    file.mkdir()
    with pytest.raises(HeftError, match=r"artifact is not a file but a folder.*; delete it and run again\.$"):
        kind.read(file)


def test_a_file_of_an_older_version_or_edited_with_other_tools_is_refused(tmp_path: Path) -> None:
    for name in ("a.json", "a.parquet"):
        KINDS[name[2:]].write(tmp_path / name)
    facts = json.loads((tmp_path / "a.json").read_text())
    (tmp_path / "a.json").write_text(json.dumps({**facts, "rows": []}, indent=1))
    (tmp_path / "old.json").write_text(json.dumps(FACTS))
    pq.write_table(pq.read_table(tmp_path / "a.parquet").slice(1), tmp_path / "a.parquet")  # keeps the schema's text
    TABLE.to_parquet(tmp_path / "old.parquet")
    for name, read in {"a.json": read_json, "old.json": read_json, "a.parquet": read_parquet,
                       "old.parquet": read_parquet}.items():  # fmt: skip
        with pytest.raises(HeftError, match=f"{name} .*; delete it and run again"):
            read(tmp_path / name)


def test_reading_rows_verifies_their_blocks_alone_and_reading_all_verifies_all(tmp_path: Path) -> None:
    path = tmp_path / "inputs.safetensors"
    write_inputs(path, INPUTS)
    content = bytearray(path.read_bytes())
    place = content.index(INPUTS[7].tobytes())
    content[place] ^= 1
    path.write_bytes(content)
    opened = InputsFile(path)
    others = np.array([39, 0, 5, 8])
    assert np.array_equal(opened.verified(others)[others], INPUTS[others])
    for rows in (np.array([0, 7]), np.array([6]), None):  # row 6 shares the block of row 7
        with pytest.raises(HeftError, match=r"inputs\.safetensors was changed"):
            opened.verified(rows)


@pytest.mark.parametrize("shape", [(3, 1, 1, 5), (5, 2, 64, 64), (1, 1, 1, 1), (1025, 1, 1, 1), (1024, 1, 1, 2)])
def test_inputs_of_any_size_come_back(tmp_path: Path, shape: tuple[int, ...]) -> None:
    inputs = np.random.default_rng(1).standard_normal(shape).astype(np.float32)
    write_inputs(tmp_path / "inputs.safetensors", inputs[::-1])
    assert np.array_equal(read_inputs(tmp_path / "inputs.safetensors"), inputs[::-1])
    content = bytearray((tmp_path / "inputs.safetensors").read_bytes())
    content[8 + int.from_bytes(content[:8], "little") + inputs.nbytes - 1] ^= 1  # in the last row
    (tmp_path / "inputs.safetensors").write_bytes(content)
    with pytest.raises(HeftError, match="was changed"):
        read_inputs(tmp_path / "inputs.safetensors")


def test_a_split_of_zeroed_inputs_is_refused_as_is_a_split_file_that_was_changed(tmp_path: Path) -> None:
    write_inputs(tmp_path / "inputs.safetensors", INPUTS)
    write_json(tmp_path / "manifest.json", {"modality": {"name": "images"}})
    split = pd.DataFrame({"id": ["b", "a"], "row": [7, 3], "label": [1, 2], "true_label": [1, 0]})
    write_parquet(tmp_path / "train.parquet", split)
    assert torch.equal(load_examples(tmp_path, tmp_path / "train.parquet").inputs, torch.from_numpy(INPUTS[[7, 3]]))
    content = (tmp_path / "inputs.safetensors").read_bytes()
    (tmp_path / "inputs.safetensors").write_bytes(content[:500] + bytes(15_000) + content[15_500:])
    with pytest.raises(HeftError, match=r"inputs\.safetensors was changed"):
        load_examples(tmp_path, tmp_path / "train.parquet")
    split.to_parquet(tmp_path / "train.parquet")
    with pytest.raises(HeftError, match=r"train\.parquet .*delete it"):
        load_examples(tmp_path, tmp_path / "train.parquet")


def test_a_changed_manifest_is_refused_by_every_job_that_names_its_data_set(tmp_path: Path) -> None:
    job = SimpleNamespace(input={"manifest": tmp_path / "manifest.json"})
    write_json(tmp_path / "manifest.json", {"source": "digits", "dataset_digest": "ab", "origin": "c"})
    dataset = dataset_of(job)
    assert dataset is not None
    assert dataset.name == "digits"
    text = (tmp_path / "manifest.json").read_text()
    (tmp_path / "manifest.json").write_text(text.replace("digits", "dogits"))
    with pytest.raises(HeftError, match=r"manifest\.json was changed"):
        dataset_of(job)


def test_inputs_are_written_and_read_without_torch(tmp_path: Path) -> None:
    program = (
        "import sys; import numpy as np; from heft.data.inputs import read_inputs\n"
        "from heft.data.input_writer import write_inputs\n"
        "write_inputs('x', np.ones((3, 1, 2, 2), np.float32)); read_inputs('x'); assert 'torch' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "workflow_scripts")}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)
