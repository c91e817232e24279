"""How long a ResNet-18 takes on a GPU and on the CPU, and how near the numbers are: scores, and a training step.

    python benchmarks/devices.py [--device cuda] [--width 16] [--n 256]

Random pictures of 3 x 32 x 32; float32 without TF32; the same draws on both devices. Times are wall seconds of one call
after a first, which loads kernels; the CPU works with one thread. Ends with status 1 where the device is not there.
"""

import argparse
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parent.parent / "workflow_scripts"))

from heft.data.examples import Examples
from heft.devices import CPU, computing, moved_to
from heft.errors import HeftError
from heft.kernels.batch import Batch
from heft.methods.context import AuxiliaryModel, Context
from heft.models.build import ModelSpec
from heft.objectives.declare import load_objective
from heft.registry import find
from heft.training.loop import state_of, train_one
from heft.training.settings import TrainingSettings

N_CLASSES, METHODS = 10, {"ip": {}, "if_ekfac": {}, "trak": {"models": 1, "dimension": 64}}
STEP = "training step"
# The largest difference that is allowed, relative to the largest entry, and the least rank correlation: ten times what
# two ways of torch to convolve on one CPU differ by (docs/devices.md).
ALLOWED, LEAST_ALIKE = {"ip": 1e-2, "if_ekfac": 2e-2, "trak": 7e-2, STEP: 5e-3}, 0.999
WARM = 1  # calls before the one that counts


@dataclass(frozen=True)
class Answer:
    """What one call gave, as a vector on the CPU, and its wall seconds."""

    numbers: Tensor
    seconds: float


def pictures(n: int, side: int, seed: int) -> Examples:
    """Pictures with a centre for each class, which a step of training can tell apart."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % N_CLASSES
    centres = torch.randn(N_CLASSES, 3, side, side, generator=torch.Generator().manual_seed(0))
    inputs = centres[labels] + torch.randn(n, 3, side, side, generator=generator)
    return Examples(np.arange(n).astype(str), inputs, labels)


def answers(device_name: str, *, width: int, n: int, side: int = 32, warm: int = WARM) -> dict[str, Answer]:
    """The scores of each method, and what a step of training changes in the weights, computed on the device."""
    spec = ModelSpec("resnet18", {"width": width}, (3, side, side), N_CLASSES)
    with computing(device_name) as device:
        train, validation = (pictures(size, side, seed).to(device) for size, seed in ((n, 1), (n // 2, 2)))
        once = TrainingSettings(epochs=1, batch_size=n // 2)
        trained = moved_to(device, train_one(spec.build(0), train.to(CPU), once, order_seed=0))
        context = Context(
            train=Batch(train.inputs, train.labels),
            n_classes=N_CLASSES,
            seed=0,
            final=trained,
            validation=Batch(validation.inputs, validation.labels),
            auxiliary={"subsets": [AuxiliaryModel(trained, torch.zeros(n, dtype=torch.bool))]},
            objective=load_objective("loss"),
        )

        def step() -> Tensor:
            model = spec.build(0, device)
            before = state_of(model)
            after = train_one(model, train, replace(once, batch_size=n), order_seed=0)
            return torch.cat([(after[name] - tensor).flatten() for name, tensor in before.items()])

        calls: dict[str, Callable[[], Tensor]] = {
            name: lambda name=name, options=options: find("methods", name).configured(options)(
                replace(context, model=spec.build(0, device))
            )
            for name, options in METHODS.items()
        }
        return {name: timed(call, warm) for name, call in (calls | {STEP: step}).items()}


def timed(call: Callable[[], Tensor], warm: int) -> Answer:
    """The last of the calls; what comes back to the CPU is finished."""
    for _ in range(warm):
        call().cpu()
    started = time.perf_counter()
    numbers = call().cpu().double()
    return Answer(numbers, time.perf_counter() - started)


def difference(numbers: Tensor, expected: Tensor) -> float:
    """The largest difference of two entries, relative to the largest entry."""
    return float((numbers - expected).abs().max() / expected.abs().max())


def likeness(numbers: Tensor, expected: Tensor) -> float:
    """Rank correlation."""
    ranks = [part.argsort().argsort().double() for part in (numbers, expected)]
    return float(torch.corrcoef(torch.stack(ranks))[0, 1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--width", type=int, default=16)
    parser.add_argument("--n", type=int, default=256)
    given = parser.parse_args()
    torch.set_num_threads(1)
    try:
        there = answers(given.device, width=given.width, n=given.n)
    except HeftError as error:
        print(error, file=sys.stderr)
        return 1
    here = answers("cpu", width=given.width, n=given.n)
    card = torch.cuda.get_device_name() if given.device == "cuda" else platform.processor()
    print(f"Python {platform.python_version()}, torch {torch.__version__}, {card}; width {given.width}, n {given.n}\n")
    print(f"| | {given.device}, s | cpu, s | times faster | largest relative difference | allowed | rank correlation |")
    print("|---|---|---|---|---|---|---|")
    for name, expected in here.items():
        got = there[name]
        apart, alike = difference(got.numbers, expected.numbers), likeness(got.numbers, expected.numbers)
        ratio = expected.seconds / got.seconds
        seconds = f"{got.seconds:.3f} | {expected.seconds:.3f} | {ratio:.1f}"
        print(f"| {name} | {seconds} | {apart:.1e} | {ALLOWED[name]:.0e} | {alike:.5f} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
