"""The GPUs of this machine, as far as they are seen without torch: which job asks for one, and which one it gets."""

import fcntl
import os
import platform
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from heft.workflow.places import STATE

VISIBLE = "CUDA_VISIBLE_DEVICES"
DRIVER = Path("/proc/driver/nvidia/gpus")  # a folder for each GPU
LOCKS = STATE / "gpus"


def gpus_of_a_job(device: str) -> int:
    """How many GPUs a job asks for that computes on the device: 1; 0 for `cpu`, and for `auto` where none is seen."""
    if device == "auto":
        return int(bool(visible_gpus()) or (platform.system(), platform.machine()) == ("Darwin", "arm64"))
    return int(device != "cpu")


def visible_gpus() -> list[str]:
    """The GPUs of NVIDIA that processes here may use, as CUDA_VISIBLE_DEVICES names them, or by number."""
    named = os.environ.get(VISIBLE)
    if named is None:
        return [str(number) for number in range(len(list(DRIVER.glob("*"))))]
    gpus = [gpu.strip() for gpu in named.split(",")]
    return gpus[: next((index for index, gpu in enumerate(gpus) if gpu in ("", "-1")), None)]


@contextmanager
def gpu_of_its_own() -> Iterator[None]:
    """What starts in the block sees one of several GPUs: the first that no other job of the project holds.

    A lock says so, which ends with this process. Where there is one GPU, or a cluster has given this job one, or all
    are taken, nothing is changed.
    """
    gpus = visible_gpus()
    with ExitStack() as locks:
        for gpu in gpus if len(gpus) > 1 else ():
            LOCKS.mkdir(parents=True, exist_ok=True)
            name = re.sub("[^A-Za-z0-9-]", "_", gpu)
            lock = locks.enter_context((LOCKS / f"{platform.node()}-{name}").open("w"))
            with suppress(OSError):  # taken, or a file system without locks
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.environ[VISIBLE] = gpu
                break
        yield
