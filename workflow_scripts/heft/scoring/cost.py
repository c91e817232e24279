"""What a block of code costs: CPU seconds and peak memory; and the unit, one forward pass over the training set."""

import contextlib
import resource
import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from heft.scoring.memory import release_freed_memory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn


@dataclass
class Cost:
    """cpu_seconds of this process, all threads; peak_mb: resident memory at its highest, above that at the start."""

    cpu_seconds: float = 0.0
    peak_mb: float = 0.0


@contextlib.contextmanager
def measure() -> Iterator[Cost]:
    """Yields a Cost that is filled in when the block ends.

    Memory that was freed before the block goes back to the system first, so that its use inside the block counts; where
    the C library cannot do that (it is not glibc), it does not count. Where the system cannot forget an earlier peak
    (macOS), peak_mb counts only what rises above that one.
    """
    cost = Cost()
    release_freed_memory()
    _forget_peak()
    resident, started = _resident_mb(), time.process_time()
    try:
        yield cost
    finally:
        cost.cpu_seconds = time.process_time() - started
        cost.peak_mb = max(0.0, _peak_mb() - resident)


def forward_cpu_seconds(
    model: "nn.Module", state: "Mapping[str, Tensor]", inputs: "Tensor", repetitions: int = 5
) -> float:
    """CPU seconds of one forward pass over `inputs`, the median of some after a first that is not counted."""
    from heft.kernels.functional import batch_size_for, logits_of

    size = batch_size_for(model, state, inputs)
    seconds = []
    for _ in range(repetitions + 1):
        started = time.process_time()
        logits_of(model, state, inputs, size).cpu()  # when they are here, another device has finished
        seconds.append(time.process_time() - started)
    return statistics.median(seconds[1:])


def _forget_peak() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")  # Linux: the highest resident size restarts from the present one


def _resident_mb() -> float:
    return _status_mb("VmRSS") or _highest_mb()


def _peak_mb() -> float:
    return _status_mb("VmHWM") or _highest_mb()


def _status_mb(key: str) -> float | None:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith(f"{key}:")]
    return kilobytes[0] / 1024 if kilobytes else None


def _highest_mb() -> float:
    # Linux counts in kilobytes, macOS in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
