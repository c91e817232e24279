"""What `device` and `precision` of an experiment may be; without torch, which knows what is there only at run time."""

from typing import Literal

from heft.errors import HeftError

Device = Literal["auto", "cpu", "cuda", "mps"]
Precision = Literal["float32", "tf32", "bfloat16"]


def check_precision(device: Device, precision: Precision, where: str) -> None:
    """Raises HeftError where a precision of cuda is asked for with another device."""
    if precision != "float32" and device != "cuda":
        raise HeftError(
            f"{where}.precision is {precision}, which is for cuda, but device is {device}; set device to cuda or "
            "precision to float32"
        )
