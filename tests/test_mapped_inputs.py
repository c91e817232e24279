"""Inputs that stay in their file: every method and every training has the bits that it has from memory."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from attribution_cases import N_TRAIN, Case, make_case
from sgd_reference import SETTINGS, examples
from torch import Tensor, nn

from heft.artifacts import write_json, write_parquet
from heft.data import examples as examples_module
from heft.data import mapped_inputs
from heft.data.examples import load_examples
from heft.data.input_writer import write_inputs
from heft.data.inputs import InputsFile
from heft.data.mapped_inputs import MappedInputs
from heft.data.modalities.images import Images
from heft.errors import HeftError
from heft.kernels.batch import Batch
from heft.registry import declarations, find
from heft.training.batched.train_many import stack_states, train_many
from heft.training.dynamics import predict
from heft.training.loop import state_of, train_one

METHODS = declarations("methods")
AT_ONCE = 7


def mapped(inputs: Tensor, folder: Path) -> MappedInputs:
    """The same inputs in a file, in another order of rows."""
    order = np.random.default_rng(0).permutation(len(inputs))
    path = folder / f"{len(list(folder.iterdir()))}.safetensors"
    write_inputs(path, inputs.numpy()[order])
    return MappedInputs(InputsFile(path), np.argsort(order), Images())


@pytest.fixture(autouse=True)
def read_rows(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many rows were read each time."""
    counts: list[int] = []
    read = InputsFile.verified

    def counted(self: InputsFile, rows: Any = None) -> Any:
        counts.append(len(self) if rows is None else len(rows))
        return read(self, rows)

    monkeypatch.setattr(InputsFile, "verified", counted)
    monkeypatch.setattr(mapped_inputs, "AT_ONCE", AT_ONCE)
    return counts


@pytest.fixture(scope="module", params=["mlp", "cnn", "batch_norm"])
def case(request: pytest.FixtureRequest) -> Case:
    return make_case(request.param)


@pytest.mark.parametrize("name", sorted(METHODS))
def test_a_method_scores_inputs_in_a_file_as_those_in_memory(name: str, case: Case, tmp_path: Path) -> None:
    score, context = find("methods", name).configured({}), case.context()
    train, validation = (
        Batch(mapped(batch.inputs, tmp_path), batch.labels, batch.groups) for batch in (case.train, case.validation)
    )
    in_file = case.context(train=train, validation=validation)
    assert torch.equal(score(in_file), score(context))


def test_a_training_and_predictions_have_the_same_bits(tmp_path: Path) -> None:
    train = examples()
    in_file = replace(train, inputs=mapped(train.inputs, tmp_path))
    shape = train.inputs[0].numel()
    for layers in (
        (nn.Flatten(), nn.Linear(shape, 4)),
        (nn.Flatten(), nn.Linear(shape, 5), nn.Tanh(), nn.Linear(5, 4)),
    ):
        model = nn.Sequential(*layers).to(train.inputs.dtype)
        start = {name: tensor.clone() for name, tensor in state_of(model).items()}
        ends = []
        for data in (train, in_file):
            model.load_state_dict(start)
            ends.append(train_one(model, data, SETTINGS, order_seed=3))
        together = [
            train_many(model, stack_states([start] * 2), data, SETTINGS, order_seeds=[1, 2])
            for data in (train, in_file)
        ]
        logits = [predict(model, ends[0], data.inputs) for data in (train, in_file)]
        for first, second in (ends, together):
            assert all(torch.equal(first[name], second[name]) for name in first)
        assert torch.equal(*logits)


def test_rows_slices_masks_and_pieces_are_those_of_a_tensor(tmp_path: Path) -> None:
    inputs = torch.randn(30, 3, 4, 4, dtype=torch.float64)
    lazy = mapped(inputs, tmp_path)
    assert (len(lazy), lazy.shape, lazy.dtype, lazy.device, lazy.numel()) == (
        30,
        inputs.shape,
        inputs.dtype,
        inputs.device,
        inputs.numel(),
    )
    mask = torch.arange(30) % 3 > 0
    for index in (
        0,
        -1,
        slice(2, 5),
        slice(None, None, 3),
        torch.tensor([3, 1, 1]),
        torch.tensor([[1, 2], [3, 0]]),
        mask,
    ):
        assert torch.equal(lazy[index], inputs[index]), index
    assert isinstance(lazy[mask], MappedInputs)
    assert isinstance(lazy[:], MappedInputs)
    assert not isinstance(lazy[:AT_ONCE], MappedInputs)
    assert [len(piece) for piece in lazy.split(8)] == [8, 8, 8, 6]
    assert torch.equal(torch.cat([*lazy[mask].split(4)]), inputs[mask])
    assert isinstance(lazy.to("cpu"), MappedInputs)
    assert torch.equal(lazy.flatten(1).mean(0), inputs.flatten(1).mean(0))
    assert torch.equal(torch.stack([*lazy]), inputs)
    assert lazy.new_tensor([1]).dtype == torch.float64


def test_a_split_that_is_too_large_for_memory_stays_in_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_rows: list[int]
) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (50, 3, 40, 40)).astype(np.uint8)
    write_inputs(tmp_path / "inputs.safetensors", pixels)
    facts = {"name": "images", "mean": [0.4, 0.5, 0.6], "std": 0.25, "pixels": True}
    write_json(tmp_path / "manifest.json", {"modality": facts})
    rows = np.arange(49, 9, -1)
    table = pd.DataFrame({"id": [str(row) for row in rows], "row": rows, "label": rows % 2})
    write_parquet(tmp_path / "train.parquet", table)
    whole = load_examples(tmp_path, tmp_path / "train.parquet")
    monkeypatch.setattr(examples_module, "LARGEST_IN_MEMORY", 4 * whole.inputs.numel() - 1)
    read_rows.clear()
    lazy = load_examples(tmp_path, tmp_path / "train.parquet")
    assert isinstance(lazy.inputs, MappedInputs)
    assert torch.equal(torch.cat([*lazy.inputs.split(6)]), whole.inputs)
    assert max(read_rows) == 6
    content = bytearray((tmp_path / "inputs.safetensors").read_bytes())
    content[8 + int.from_bytes(content[:8], "little") + 20 * pixels[0].nbytes] ^= 1
    (tmp_path / "inputs.safetensors").write_bytes(content)
    changed = load_examples(tmp_path, tmp_path / "train.parquet").inputs
    assert torch.equal(changed[:2], whole.inputs[:2])
    with pytest.raises(HeftError, match="was changed"):
        changed[49 - 20]


@pytest.mark.parametrize("name", [name for name, one in METHODS.items() if one.fields["family"] != "inputs"])
def test_no_method_but_those_of_inputs_alone_reads_all_rows_at_once(
    name: str, tmp_path: Path, read_rows: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heft.kernels.functional.LARGEST_BATCH", 16)
    monkeypatch.setattr("heft.kernels.functional.LARGE_BATCH", 16)
    monkeypatch.setattr("heft.kernels.functional.SMALLEST_BATCH", 16)
    case = make_case("mlp")
    train = Batch(mapped(case.train.inputs, tmp_path), case.train.labels)
    score, context = find("methods", name).configured({}), case.context(train=train)
    read_rows.clear()
    score(context)
    assert max(read_rows, default=0) < N_TRAIN
