"""What training six models together costs, against six one by one and against the floor of their matrix products.

    python benchmarks/batched_training.py

3,000 random pictures of 28 x 28, batches of 64, one thread. Each way trains one epoch in turn, several times over, and
the fastest epoch counts: on a busy machine that is the one least disturbed.
"""

import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).parent.parent / "workflow_scripts"))

from heft.data.examples import Examples
from heft.models.build import build_model
from heft.training.batched.train_many import stack_states, train_stacked
from heft.training.loop import state_of, train_one
from heft.training.settings import TrainingSettings

N, N_MODELS, REPETITIONS = 3000, 6, 10
SETTINGS = TrainingSettings(epochs=1)


def matrix_products(batch_size: int) -> None:
    """The two products of an MLP's first layer, 92 % of its parameters, for all models and one epoch."""
    inputs, weight, delta = torch.randn(batch_size, 784), torch.randn(784, 128), torch.randn(batch_size, 128)
    for _ in range(N_MODELS * N // batch_size):
        inputs @ weight
        inputs.T @ delta


def seconds_of(ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """CPU seconds of each way, the fastest of the repetitions, which take turns."""
    fastest = dict.fromkeys(ways, float("inf"))
    for _ in range(REPETITIONS):
        for name, run in ways.items():
            started = time.process_time()
            run()
            fastest[name] = min(fastest[name], time.process_time() - started)
    return fastest


def compare(name: str) -> str:
    """A line of the table for one architecture."""
    torch.manual_seed(0)
    labels = torch.randint(10, (N,))
    train = Examples(np.arange(N).astype(str), torch.randn(N, 1, 28, 28), labels, labels)
    models = [build_model(name, {}, (1, 28, 28), 10, seed) for seed in range(N_MODELS)]
    initial = stack_states([state_of(model) for model in models])
    weights = torch.ones(N_MODELS, N)

    def one_by_one() -> None:
        for model in models:
            train_one(model, train, SETTINGS, order_seed=0)

    def together(order_seeds: list[int]) -> Callable[[], object]:
        return lambda: train_stacked(models[0], initial, train, SETTINGS, order_seeds, weights, None, None)

    seconds = seconds_of(
        {
            "one by one": one_by_one,
            "one order": together([0] * N_MODELS),
            "own orders": together(list(range(N_MODELS))),
            "floor": lambda: matrix_products(SETTINGS.batch_size),
        }
    )
    base = seconds["one by one"]
    floor = f"{seconds['floor'] / base:.2f}" if name == "mlp" else ""
    return f"| {name} | {base:.2f} | {seconds['one order'] / base:.2f} | {seconds['own orders'] / base:.2f} | {floor} |"


def main() -> None:
    torch.set_num_threads(1)
    print(f"Python {platform.python_version()}, torch {torch.__version__}, {platform.machine()}, 1 thread\n")
    print(
        "| model | six one by one, CPU seconds an epoch | together, one batch order | each its own | matrix products |"
    )
    print("|---|---|---|---|---|")
    for name in ("logistic", "mlp", "cnn"):
        print(compare(name), flush=True)


if __name__ == "__main__":
    main()
