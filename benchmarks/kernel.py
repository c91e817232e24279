"""What `<d, grad l_i>` of every example costs, against one forward-and-backward pass over the same data.

    python benchmarks/kernel.py [--repetitions 15]

Everything is timed in this process, in turns, with one thread, keeping freed memory as Heft's jobs do; each pass runs
at its own batch size: the reference at the fastest of several, the kernel at the one it chooses itself. Peak memory is
what torch allocates above the model and the data (from torch's allocation records), so it does not depend on the
machine.
"""

import argparse
import contextlib
import os
import platform
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional
from torch.profiler import ProfilerActivity, profile

sys.path.insert(0, str(Path(__file__).parent.parent / "workflow_scripts"))

from heft.kernels.directional import directional_derivatives
from heft.kernels.functional import batch_size_for, logits_of
from heft.models.build import build_model
from heft.scoring.memory import keep_freed_memory

Pass = Callable[[], object]


def forward_and_backward(
    model: nn.Module, state: dict[str, Tensor], inputs: Tensor, labels: Tensor, size: int
) -> dict[str, Tensor]:
    """The gradient of the summed loss, accumulated over batches as an optimiser's user would."""
    parameters = {name: state[name].detach().requires_grad_() for name, _ in model.named_parameters()}
    for x, y in zip(inputs.split(size), labels.split(size), strict=True):
        logits = functional_call(model, {**state, **parameters}, (x,))
        functional.cross_entropy(logits, y, reduction="sum").backward()
    return {name: tensor.grad for name, tensor in parameters.items() if tensor.grad is not None}


def cpu_seconds(passes: dict[str, Pass], repetitions: int) -> dict[str, list[float]]:
    """CPU seconds of each pass; the passes take turns, so that a slower minute slows all of them."""
    seconds: dict[str, list[float]] = {name: [] for name in passes}
    for repetition in range(repetitions + 1):
        for name, run in passes.items():
            started = time.process_time()
            run()
            if repetition > 0:
                seconds[name].append(time.process_time() - started)
    return seconds


def peak_bytes(run: Pass) -> int:
    """The most that torch holds at once during `run`, above what it held before."""
    run()
    with quiet_profiler(), profile(activities=[ProfilerActivity.CPU], profile_memory=True) as recorded:
        kept = run()
    del kept
    held = highest = 0
    events = [event for event in recorded.profiler.kineto_results.events() if event.name() == "[memory]"]
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        highest = max(highest, held)
    return highest


@contextlib.contextmanager
def quiet_profiler() -> Iterator[None]:
    """Lets the profiler's C++ part, which writes to the file descriptor itself, say nothing."""
    standard_error = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(standard_error, 2)
        os.close(standard_error)


# longer: three timings side by side, in one order
def measure(name: str, model: nn.Module, shape: tuple[int, ...], n: int, repetitions: int) -> list[str]:
    """The table's rows for one model."""
    torch.manual_seed(0)
    state = {key: tensor.detach() for key, tensor in model.state_dict().items()}
    parameters = {key: state[key] for key, _ in model.named_parameters()}
    directions = {k: {key: torch.randn(k, *tensor.shape) for key, tensor in parameters.items()} for k in (1, 5)}
    inputs, labels = torch.rand(n, *shape), torch.randint(0, 10, (n,))

    sizes = [size for size in (16, 32, 64, 128, 256, 512, 1024, 2048) if size <= n]
    tried = cpu_seconds(
        {str(size): lambda size=size: forward_and_backward(model, state, inputs, labels, size) for size in sizes},
        min(5, repetitions),
    )
    best = int(min(tried, key=lambda size: statistics.median(tried[size])))

    def derive(k: int) -> Tensor:
        return directional_derivatives(model, state, directions[k], inputs, labels)

    passes: dict[str, Pass] = {
        "forward and backward": lambda: forward_and_backward(model, state, inputs, labels, best),
        "forward": lambda: logits_of(model, state, inputs),
        "kernel, 1 direction": lambda: derive(1),
        "kernel, 5 directions": lambda: derive(5),
    }
    batch = {
        "forward and backward": best,
        "forward": batch_size_for(model, state, inputs),
        "kernel, 1 direction": batch_size_for(model, state, inputs, 1),
        "kernel, 5 directions": batch_size_for(model, state, inputs, 1),
    }
    seconds = cpu_seconds(passes, repetitions)
    peaks = {key: peak_bytes(run) for key, run in passes.items()}
    reference = "forward and backward"
    rows = []
    for key in passes:
        ratios = [own / floor for own, floor in zip(seconds[key], seconds[reference], strict=True)]
        low, _, high = statistics.quantiles(ratios, n=4)
        rows.append(
            f"| {name} | {key} | {batch[key]} | {1000 * statistics.median(seconds[key]):.1f} "
            f"| {statistics.median(ratios):.2f} | {low:.2f} to {high:.2f} "
            f"| {peaks[key] / 2**20:.2f} | {peaks[key] / peaks[reference]:.2f} |"
        )
    return rows


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repetitions", type=int, default=15)
    repetitions = parser.parse_args().repetitions
    torch.set_num_threads(1)
    keep_freed_memory()
    warnings.filterwarnings("ignore", category=FutureWarning, message=".*torch.jit.script.*")  # torch's own
    print(
        f"torch {torch.__version__}, Python {platform.python_version()}, {platform.machine()} "
        f"{platform.system()}, {os.cpu_count()} cores, 1 thread, {repetitions} repetitions in turns; "
        "median (and quartiles) of CPU seconds over those of forward and backward.\n"
    )
    print("| model | pass | batch | CPU ms | x forward and backward | quartiles | peak MB | x peak |")
    print("|---|---|---|---|---|---|---|---|")
    models = (
        ("mlp", {}, (1, 28, 28), 3000, repetitions),
        ("cnn", {}, (1, 28, 28), 3000, repetitions),
        ("resnet18", {"norm": "group"}, (3, 32, 32), 64, -(-repetitions // 3)),
        ("resnet18", {"norm": "batch"}, (3, 32, 32), 64, -(-repetitions // 3)),
    )
    for name, options, shape, n, n_repetitions in models:
        model = build_model(name, options, shape, 10, seed=0)
        label = " ".join([name, *options.values()])
        print("\n".join(measure(f"{label}, n = {n:,}", model, shape, n, n_repetitions)), flush=True)


if __name__ == "__main__":
    main()
