"""A model that computes in a type of its own is trained, recorded, written, read back and retrained."""

import sys
from pathlib import Path
from types import ModuleType

import battery
import numpy as np
import pytest
import torch
from removal import REMOVE, removal_plan

from heft.artifacts import read_parquet, write_parquet
from heft.curation.retrain import retrain
from heft.data.examples import Examples
from heft.evaluation.rows import Evaluated, Splits, evaluate_variant
from heft.models.build import ModelSpec
from heft.seeds import RunSeeds
from heft.training.checkpoints import load_states, sha256_of_state, write_states
from heft.training.runs import train_runs
from heft.training.settings import TrainingSettings

SETTINGS = TrainingSettings(epochs=2, batch_size=8, learning_rate=0.05)


@pytest.mark.parametrize("name", ["bfloat16", "double"])
def test_a_model_of_its_own_type_goes_through_the_whole_chain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    module = ModuleType("battery_models")
    setattr(module, name, battery.MODELS[name].build)
    monkeypatch.setitem(sys.modules, "battery_models", module)
    spec = ModelSpec(f"battery_models:{name}", {}, battery.INPUT_SHAPE, battery.N_CLASSES)
    inputs, labels = battery.examples(24, dtype=torch.float32)
    train = Examples(np.array([f"{row:02d}" for row in range(24)]), inputs, labels, labels.roll(1))
    trained = train_runs(spec, train, train, SETTINGS, {0: RunSeeds(1, 2)})
    write_states(tmp_path, trained.checkpoints)
    final = load_states(tmp_path).runs[0].states[2].state
    for key, tensor in trained.checkpoints.runs[0].states[2].state.items():
        assert final[key].dtype == tensor.dtype == (torch.bfloat16 if name == "bfloat16" else torch.float64)
        assert torch.equal(final[key], tensor)
    write_parquet(tmp_path / "dynamics.parquet", trained.dynamics)
    assert np.isfinite(read_parquet(tmp_path / "dynamics.parquet")["label_logit"]).all()
    scores = trained.dynamics[trained.dynamics["epoch"] == 2][["id"]].assign(score=np.arange(24.0))
    plan = removal_plan(scores.assign(label=labels.numpy()), scores, [0.25], seed=0)
    states, _ = retrain(spec, train, plan, SETTINGS, RunSeeds(1, 2))
    evaluated = evaluate_variant(
        Evaluated("e", 0, "loss", "loss"),
        spec.build(0),
        states,
        plan,
        Splits(train, train, train),
        scores,
        {},
        actions=REMOVE,
    )
    assert 0 < evaluated["rows"][0]["test_loss"] < 10


def test_the_hash_of_a_state_tells_one_bit_of_16() -> None:
    state = {"w": torch.ones(3, dtype=torch.bfloat16), "scale": torch.tensor(1.0, dtype=torch.bfloat16)}
    other = {**state, "scale": torch.tensor(1.0078125, dtype=torch.bfloat16)}
    assert sha256_of_state(state) == sha256_of_state({name: tensor.clone() for name, tensor in state.items()})
    assert sha256_of_state(state) != sha256_of_state(other)
