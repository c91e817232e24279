"""Chooses the default training budget: validation accuracy over epochs, learning rate, batch size and weight decay.

    python benchmarks/training_budget.py

The experiment is the default one (mnist5k, 30 % pair noise, MLP), on seeds that the default run does not use. The test
split is never looked at. Each budget trains once on the noisy labels and once without the wrong ones (weight 0), the
two trainings between which every pruned training lies. Prints a markdown table, best mean of the two first.

The default is the first row with at least twice as many epochs as early states are kept, so that the early states
(el2n) are not the spaced ones (tracin). Fewer epochs score still higher under this noise, because stopping early is
itself a remedy. The rule was written after the table had been seen; it does not look at any score of a method.
"""

import itertools
import platform
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "workflow_scripts"))

from heft.artifacts import read_parquet, write_parquet
from heft.data.examples import Examples, load_examples, load_manifest
from heft.data.inputs import read_inputs
from heft.data.prepare import prepare
from heft.data.settings import DataSettings
from heft.data.split import draw_split
from heft.models.build import ModelSpec
from heft.seeds import run_seeds
from heft.training.batched.train_many import stack_states, train_many, unstack_state
from heft.training.dynamics import loss_and_accuracy, predict
from heft.training.loop import state_of
from heft.training.settings import CheckpointSettings, TrainingSettings

SEEDS = (100, 101, 102)
EPOCHS = (3, 5, 10, 15, 20, 30)
LEARNING_RATES = (0.02, 0.05, 0.1)
BATCH_SIZES = (64, 128)
WEIGHT_DECAYS = (0.0005, 0.005)


def splits_of(folder: Path, seed: int) -> tuple[Examples, Examples]:
    """Training (noisy) and validation (clean) examples."""
    splits = draw_split(
        read_parquet(folder / "examples.parquet"), read_inputs(folder / "inputs.safetensors"), DataSettings(), seed
    )
    for name in ("train", "validation"):
        write_parquet(folder / f"{seed}" / f"{name}.parquet", splits[name])
    train, validation = (
        load_examples(folder, folder / f"{seed}" / f"{name}.parquet") for name in ("train", "validation")
    )
    return train, validation


def measure(
    spec: ModelSpec, train: Examples, validation: Examples, settings: TrainingSettings, seed: int
) -> dict[str, float]:
    """Validation loss and accuracy after training on all labels and on the right ones alone, and CPU seconds of one."""
    seeds = run_seeds(seed, 0, DataSettings().resample)
    model = spec.build(seeds.init)
    right = (train.labels == train.true_labels).float()
    started = time.process_time()
    states = train_many(
        model,
        stack_states([state_of(model)] * 2),
        train,
        settings,
        order_seeds=[seeds.order] * 2,
        weights=torch.stack([torch.ones(len(train)), right]),
    )
    seconds = (time.process_time() - started) / 2
    row = {"seconds": seconds}
    for member, name in enumerate(("noisy", "right only")):
        logits = predict(model, unstack_state(states, member), validation.inputs)
        row[f"{name} loss"], row[name] = loss_and_accuracy(logits, validation.labels)
    return row


def study(folder: Path) -> pd.DataFrame:
    """One row a budget and seed."""
    prepare("mnist5k", None, folder)
    manifest = load_manifest(folder)
    spec = ModelSpec("mlp", {}, manifest["input_shape"], len(manifest["class_names"]))
    data = {seed: splits_of(folder, seed) for seed in SEEDS}
    rows = []
    for epochs, rate, batch, decay in itertools.product(EPOCHS, LEARNING_RATES, BATCH_SIZES, WEIGHT_DECAYS):
        settings = replace(TrainingSettings(), epochs=epochs, learning_rate=rate, batch_size=batch, weight_decay=decay)
        budget = {"epochs": epochs, "learning rate": rate, "batch": batch, "weight decay": decay}
        rows += [budget | measure(spec, *data[seed], settings, seed) for seed in SEEDS]
    return pd.DataFrame(rows)


def markdown(rows: pd.DataFrame) -> str:
    """Means over seeds; spread is the standard deviation over seeds of the noisy accuracy."""
    keys = ["epochs", "learning rate", "batch", "weight decay"]
    grouped = rows.groupby(keys)
    table = grouped.mean().assign(spread=grouped["noisy"].std())
    table = (
        table.assign(mean=(table["noisy"] + table["right only"]) / 2).sort_values("mean", ascending=False).reset_index()
    )
    lines = [
        "| epochs | learning rate | batch | weight decay | mean of both | noisy labels | spread | right labels only "
        "| loss, noisy | loss, right only | CPU seconds |",
        "|---" * 11 + "|",
    ]
    lines += [
        f"| {row['epochs']} | {row['learning rate']} | {row['batch']} | {row['weight decay']} | {row['mean']:.4f} "
        f"| {row['noisy']:.3f} | {row['spread']:.3f} | {row['right only']:.3f} | {row['noisy loss']:.3f} "
        f"| {row['right only loss']:.3f} | {row['seconds']:.2f} |"
        for row in table.to_dict("records")
    ]
    return "\n".join(lines)


def main() -> None:
    torch.set_num_threads(1)
    print(
        f"Python {platform.python_version()}, torch {torch.__version__}, {platform.machine()}, 1 thread, "
        f"seeds {', '.join(map(str, SEEDS))}, validation accuracy\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        print(markdown(study(Path(folder))))
    print(f"\nDefault: the first row with at least {CheckpointSettings().spaced} epochs.")


if __name__ == "__main__":
    main()
