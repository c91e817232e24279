"""Whether memory stays the same as pictures grow in number, from JPEG to features; the most is measured, not guessed.

    python benchmarks/encoder_memory.py [--sizes 1000 4000 10000] [--size 96] [--threads 1]

Generated pictures, each of its own content, are decoded, stored, hashed and encoded by efficientnet_lite0, each number
of them in a process of its own. Prints the largest resident memory of each, files mapped into it included, the line
through them, and what it says of 100,000 pictures.
"""

import argparse
import io
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "workflow_scripts"))
from heft.data.encoders.encode import encode  # noqa: E402
from heft.data.modalities.images import Images  # noqa: E402
from heft.data.prepare import prepare  # noqa: E402
from heft.data.row_stream import RowStream  # noqa: E402
from heft.data.sources.declare import RawData  # noqa: E402
from heft.own_module import MODULES_VARIABLE  # noqa: E402
from heft.scoring.memory import keep_freed_memory  # noqa: E402

ASKED = 100_000


class Pictures(RowStream):
    """JPEGs of blots that move from one to the next, decoded as they are asked for."""

    def __init__(self, n: int, size: int) -> None:
        self.n, self.size, self.shape, self.dtype = n, size, (3, size, size), np.dtype(np.uint8)

    def __len__(self) -> int:
        return self.n

    def __iter__(self) -> Iterator[np.ndarray]:
        from PIL import Image

        rows, columns = np.mgrid[: self.size, : self.size] / self.size
        for number in range(self.n):
            phase = number * np.array([0.37, 0.61, 0.83]).reshape(3, 1, 1)
            drawn = 127 + 100 * np.sin(9 * rows + phase) * np.cos(7 * columns - phase)
            written = io.BytesIO()
            Image.fromarray(np.moveaxis(drawn.astype(np.uint8), 0, -1)).save(written, "JPEG")
            yield np.ascontiguousarray(np.moveaxis(np.asarray(Image.open(written)), -1, 0))


def load(n: int, size: int) -> RawData:
    """The data source of this benchmark, as a person's own would be."""
    return RawData(Pictures(n, size), np.arange(n) % 10, modality=Images(0.5, 0.25, pixels=True))


def measure(n: int, size: int, threads: int) -> dict[str, float]:
    """Prepares and encodes n pictures in a folder that goes away: the most memory, in MB, and seconds of both."""
    import torch

    torch.set_num_threads(1)
    keep_freed_memory()
    with tempfile.TemporaryDirectory() as place:
        folder, began = Path(place), time.monotonic()
        prepare("encoder_memory:load", None, folder / "data", {"n": n, "size": size})
        prepared = time.monotonic()
        options = {"size": size}
        encode(
            folder / "data", folder / "features", "efficientnet_lite0", options, folder / "cache",
            tell=lambda line: None, threads=threads,
        )  # fmt: skip
        ended = time.monotonic()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"n": n, "peak_mb": peak, "prepare_s": prepared - began, "encode_s": ended - prepared}


def main() -> None:
    """Measures each number of pictures in a process of its own, and prints the line through the peaks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=[1000, 4000, 10000])
    parser.add_argument("--size", type=int, default=96, help="pixels")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--alone", type=int, help=argparse.SUPPRESS)  # what a process of its own is started with
    given = parser.parse_args()
    if given.alone:
        print(json.dumps(measure(given.alone, given.size, given.threads)))
        return
    print(
        f"{platform.platform()}, Python {platform.python_version()}, torch {version('torch')}, {given.threads} threads"
    )
    rows = []
    for n in given.sizes:
        command = [sys.executable, __file__, "--size", str(given.size), "--threads", str(given.threads)]
        environment = os.environ | {MODULES_VARIABLE: str(Path(__file__).parent), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(
            [*command, "--alone", str(n)], env=environment, capture_output=True, text=True, check=True
        )
        row = json.loads(done.stdout.splitlines()[-1])
        rows.append((n, row["peak_mb"]))
        print(
            f"{n:7,} pictures of {given.size} x {given.size}: {row['peak_mb']:6.0f} MB; {n / row['prepare_s']:5.0f} "
            f"prepared and {n / row['encode_s']:5.0f} encoded a second",
            flush=True,
        )
    slope, start = np.polyfit(*zip(*rows, strict=True), 1)
    print(f"{1000 * slope:.2f} MB more for 1,000 pictures; {ASKED:,} would take {start + ASKED * slope:.0f} MB")


if __name__ == "__main__":
    main()
