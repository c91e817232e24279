"""Whether memory stays the same as pictures grow in number, from JPEG files to features.

    python benchmarks/pictures_memory.py [--sizes 2000 6000 10000] [--stages prepare near encode] [--size 96]

Generated pictures lie in class folders. `prepare` decodes, hashes and stores them and looks for near-duplicates, `near`
does only that, on what is stored, and `encode` makes features of them by efficientnet_lite0, each in a process of its
own as in a run. Prints the most memory of each: what a process holds itself, and with the pages of files that it has
mapped, which the system takes back where memory is short. The line through the numbers of pictures says what 100,000
would take.
"""

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import threading
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "workflow_scripts"))
ASKED = 100_000
STAGES = ("prepare", "near", "encode")
EVERY = 0.02  # seconds, in which memory is looked at


def draw(folder: Path, n: int, size: int) -> None:
    """JPEG files of waves, each another one, in two class folders."""
    from PIL import Image

    rows, columns = np.mgrid[:size, :size] / size
    for name in ("even", "odd"):
        (folder / name).mkdir(parents=True)
    for number, place in enumerate(np.random.default_rng(0).uniform(2, 40, (n, 3, 2))):
        drawn = [127 + 100 * np.sin(across * rows + number) * np.cos(down * columns) for across, down in place]
        picture = np.stack(drawn, axis=-1).astype(np.uint8)
        Image.fromarray(picture).save(folder / ("odd" if number % 2 else "even") / f"{number:06}.jpg")


def run(stage: str, folder: Path, size: int, threads: int) -> dict[str, float]:
    """Runs one stage in this process: seconds, and the most memory in MB, its own and with files."""
    import torch

    from heft.scoring.memory import keep_freed_memory

    torch.set_num_threads(1)
    keep_freed_memory()
    own, done = [0], threading.Event()

    def look() -> None:
        while not done.wait(EVERY):
            own[0] = max(own[0], anonymous_kilobytes())

    watch = threading.Thread(target=look)
    watch.start()
    began = time.monotonic()
    work(stage, folder, size, threads)
    seconds = time.monotonic() - began
    done.set()
    watch.join()
    return {
        "seconds": seconds,
        "own_mb": own[0] / 1024,
        "with_files_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def work(stage: str, folder: Path, size: int, threads: int) -> None:
    """What a stage does."""
    from heft.artifacts import read_parquet
    from heft.data.encoders.encode import encode
    from heft.data.inputs import InputsFile
    from heft.data.modalities.images import Images
    from heft.data.near.examples import numbered
    from heft.data.prepare import prepare

    if stage == "prepare":
        options = {"path": str(folder / "pictures"), "size": size}
        prepare("image_folder", None, folder / "data", options, threads=threads, near_duplicates=True)
    elif stage == "near":
        examples, inputs = (
            read_parquet(folder / "data/examples.parquet"),
            InputsFile(folder / "data/inputs.safetensors"),
        )
        numbered(examples, inputs.verified(), Images(pixels=True))
    else:
        places = folder / "data", folder / "features"
        encode(*places, "efficientnet_lite0", {"size": size}, folder / "cache", tell=lambda line: None, threads=threads)


def anonymous_kilobytes() -> int:
    """Memory that no file stands behind."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("RssAnon:")[2].split()[0])


def main() -> None:
    """Measures each number of pictures, and prints the lines through what was seen."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=[2000, 6000, 10000])
    parser.add_argument("--stages", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--size", type=int, default=96, help="pixels")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--stage", nargs=2, metavar=("STAGE", "FOLDER"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.stage:
        stage, folder = given.stage
        print(json.dumps(run(stage, Path(folder), given.size, given.threads)))
        return
    print(
        f"{platform.platform()}, Python {platform.python_version()}, torch {version('torch')}, threads {given.threads}"
    )
    seen: dict[str, list[tuple[int, float, float]]] = {stage: [] for stage in given.stages}
    for n in given.sizes:
        with tempfile.TemporaryDirectory() as folder:
            draw(Path(folder) / "pictures", n, given.size)
            for stage in given.stages:
                measured = in_another_process(stage, folder, given)
                seen[stage].append((n, measured["own_mb"], measured["with_files_mb"]))
                print(
                    f"{n:7,} pictures of {given.size} x {given.size}  {stage:8} {measured['seconds']:6.1f} s"
                    f" {measured['own_mb']:6.0f} MB, {measured['with_files_mb']:6.0f} MB with files",
                    flush=True,
                )
    for stage, rows in seen.items():
        numbers, own, _ = zip(*rows, strict=True)
        slope, start = np.polyfit(numbers, own, 1)
        print(f"{stage:8} {1000 * slope:6.2f} MB more for 1,000; {ASKED:,} would take {start + ASKED * slope:.0f} MB")


def in_another_process(stage: str, folder: str, given: argparse.Namespace) -> dict[str, float]:
    """What `run` measures of a stage that has a process for itself."""
    command = [sys.executable, __file__, "--size", str(given.size), "--threads", str(given.threads)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run([*command, "--stage", stage, folder], env=environment, stdout=subprocess.PIPE, check=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


if __name__ == "__main__":
    main()
