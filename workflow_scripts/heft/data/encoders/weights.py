"""Weights of an encoder's network: hashed, and put in place."""

import hashlib
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from heft.errors import HeftError


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
