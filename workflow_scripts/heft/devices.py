"""The device that numbers are computed on, by its name in the configuration, and how exact its products are."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor

from heft.errors import HeftError

CPU = torch.device("cpu")
WITHOUT_FLOAT64 = ("mps",)  # types of devices


def device_named(name: str) -> torch.device:
    """The device of a name: `cpu`, `cuda` or `mps`; `auto` is the first of cuda, mps and cpu that is there.

    Raises HeftError where the one that is asked for is not there.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(known for known, is_there in there.items() if is_there)
    if not there[name]:
        found = ", ".join(known for known, is_there in there.items() if is_there)
        raise HeftError(f'device is "{name}", which torch does not find on this machine; it finds {found}.')
    return torch.device(name)


@contextmanager
def computing(name: str, precision: str = "float32", *, training: bool = False) -> Iterator[torch.device]:
    """The device of that name, as `device_named` says; in the block, on cuda, a training is in `precision`.

    All else is in float32 there: kernels compare themselves, once a model, with other ways to the same numbers, and
    would take the rounding of another precision for a mistake.
    """
    device = device_named(name)
    with in_precision(device, precision if training else "float32"):
        yield device


@contextmanager
def in_precision(device: torch.device, precision: str = "float32") -> Iterator[None]:
    """How exact float32 is on cuda; on other devices nothing is touched. Afterwards all is as it was.

    float32: without TF32, in matrix products and in convolutions. tf32: with it. bfloat16: passes are in bfloat16 where
    torch's autocast has them so, with weights in float32. Kernels of cuDNN are deterministic ones in any case.
    """
    if device.type != "cuda":
        yield
        return
    cudnn, tf32 = torch.backends.cudnn, precision == "tf32"
    before = torch.get_float32_matmul_precision(), cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark
    torch.set_float32_matmul_precision("high" if tf32 else "highest")
    cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark = tf32, True, False
    try:
        with bfloat16_passes("cuda") if precision == "bfloat16" else nullcontext():
            yield
    finally:
        torch.set_float32_matmul_precision(before[0])
        cudnn.allow_tf32, cudnn.deterministic, cudnn.benchmark = before[1:]


def bfloat16_passes(device_type: str) -> torch.autocast:
    """Autocast to bfloat16 that lasts for a whole training: torch would keep the cast weights, which steps change."""
    return torch.autocast(device_type, dtype=torch.bfloat16, cache_enabled=False)


def moved_to(device: torch.device, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a state on the device; those that are there already are not copied."""
    return {name: tensor.to(device) for name, tensor in state.items()}


def in_float64(tensor: Tensor) -> Tensor:
    """The tensor in float64, on the CPU where its device has no such type; `to(tensor)` brings a result back."""
    return (tensor.cpu() if tensor.device.type in WITHOUT_FLOAT64 else tensor).double()
