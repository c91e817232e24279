"""Weights of a network in a person's own file: read without running code that may be in it."""

from collections.abc import Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch
from torch import Tensor

from heft.errors import HeftError

SAFETENSORS = ".safetensors"
WITHIN = ("state_dict", "model")  # keys under which a training script may keep it beside other things


def read_state(file: Path, where: str) -> dict[str, Tensor]:
    """Named tensors of a safetensors file, or of one that torch.save wrote.

    Raises HeftError, which `where` begins, where the file is not there or holds anything else.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        read: Any = load_file(file) if file.suffix == SAFETENSORS else torch.load(file, "cpu", weights_only=True)
    except FileNotFoundError as error:
        raise HeftError(f"{where}: there is no file {file}.") from error
    except (SafetensorError, UnpicklingError, EOFError, KeyError, RuntimeError, OSError, ValueError) as error:
        raise HeftError(
            f"{where}: {file} holds no weights; expected safetensors, or what torch.save(model.state_dict(), file) "
            f"writes ({' '.join(str(error).split())[:80]})."
        ) from error
    for key in WITHIN:
        if isinstance(read, Mapping) and isinstance(read.get(key), Mapping):
            read = read[key]
    if not isinstance(read, Mapping) or not read or not all(isinstance(value, Tensor) for value in read.values()):
        raise HeftError(f"{where}: {file} holds no state_dict, {{name: tensor}}, but something else.")
    return dict(read)
