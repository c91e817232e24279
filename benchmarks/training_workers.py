"""How long a training takes whose pictures are augmented in the process itself, and ahead by worker processes.

    python benchmarks/training_workers.py [--workers 1] [--n 1000] [--size 32] [--repetitions 5]

The convolutional network of the workflow, batches of 64, random crops and flips; four epochs without workers
and with them, in turns. Prints the seconds of both on the clock, and median and quartiles of their ratio.
"""

import argparse
import os
import platform
import time
from dataclasses import replace
from statistics import quantiles

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import torch

from heft.data.examples import Examples
from heft.data.modalities.images import Images
from heft.models.build import build_model
from heft.scoring.memory import keep_freed_memory
from heft.training.loop import train_one
from heft.training.settings import TrainingSettings

SETTINGS = TrainingSettings(epochs=4, learning_rate=0.01, augmentation=["random_crop", "horizontal_flip"])


def main() -> None:
    """Measures, and prints a line a turn and the ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--size", type=int, default=32, help="pixels")
    parser.add_argument("--repetitions", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    keep_freed_memory()
    print(
        f"{platform.platform()}, Python {platform.python_version()}, torch {torch.__version__}, {os.cpu_count()} cores"
    )
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(given.n) % 10
    pictures = torch.rand(given.n, 3, given.size, given.size, generator=generator)
    train = Examples(np.arange(given.n).astype(str), pictures, labels, modality=Images())

    def seconds(workers: int) -> float:
        model, began = build_model("cnn", {}, (3, given.size, given.size), 10, 0), time.monotonic()
        train_one(model, train, replace(SETTINGS, workers=workers), order_seed=0)
        return time.monotonic() - began

    seconds(0)  # imports, and memory that is kept
    ratios = []
    for turn in range(given.repetitions):
        alone, ahead = seconds(0), seconds(given.workers)
        ratios.append(ahead / alone)
        print(f"turn {turn}: {alone:.2f} s without, {ahead:.2f} s with {given.workers} workers, ratio {ratios[-1]:.2f}")
    low, median, high = quantiles(ratios, n=4)
    print(f"ratio {median:.2f}, quartiles {low:.2f} to {high:.2f}")


if __name__ == "__main__":
    main()
