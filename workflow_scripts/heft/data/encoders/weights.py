"""Weights of a network: read from a file of a person's without running code of it, hashed, and put in place."""

import hashlib
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from heft.errors import HeftError


def read_state(file: Path, encoder: str) -> dict[str, Tensor]:
    """Named tensors of a safetensors file, or of one of `torch.save`; raises HeftError where it is neither."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(file) if file.suffix == ".safetensors" else torch.load(file, "cpu", weights_only=True)
    except (SafetensorError, pickle.UnpicklingError, EOFError, RuntimeError, OSError) as error:
        raise HeftError(
            f"Encoder {encoder}: {file} holds no weights; expected safetensors, or a state_dict that torch.save wrote "
            f"({' '.join(str(error).split())[:120]})."
        ) from error
    state = state.get("state_dict", state) if isinstance(state, Mapping) else state
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise HeftError(f"Encoder {encoder}: {file} holds no state_dict, {{name: tensor}}, but something else.")
    return dict(state)


def put_in(network: nn.Module, state: Mapping[str, Tensor], left_out: Sequence[str], where: str) -> None:
    """Loads the weights, those below the names `left_out` aside; raises HeftError, which `where` begins."""
    below = tuple(f"{module}." for module in left_out)
    rest = {name: value for name, value in state.items() if not name.startswith(below)}
    own = network.state_dict()
    for name in sorted(own.keys() ^ rest.keys()):
        lacks = "lack" if name in own else "have, beyond those of the network,"
        raise HeftError(f"{where} {lacks} {name}; is this another network's file?")
    for name, value in own.items():
        if value.shape != rest[name].shape:
            raise HeftError(
                f"{where} have {name} of shape {list(rest[name].shape)}; the network's is {list(value.shape)}."
            )
    network.load_state_dict(rest)


def hash_of(state: Mapping[str, Tensor]) -> str:
    """SHA-256 over names, types, shapes and values."""
    digest = hashlib.sha256()
    for name in sorted(state):
        value = state[name].detach().cpu().contiguous()
        digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
        digest.update(value.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
