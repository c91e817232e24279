"""What a member of an ensemble is, and what it is made from."""

import hashlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from heft.kernels.selection import trainable_parameters

Change = Callable[[Mapping[str, Tensor]], dict[str, Tensor]]  # of a state: parameters and buffers by name


@dataclass(frozen=True)
class TrainedModel:
    """The model that members are made from, and the experiment's seed.

    moved: names of the parameters that training moves, which alone may be changed; None: those that require a gradient.
    """

    network: nn.Module
    seed: int
    moved: Collection[str] | None = None

    @property
    def parameters(self) -> list[tuple[str, nn.Parameter]]:
        """The parameters that training moves: what it cannot move does not exist for a score."""
        chosen = trainable_parameters(self.network) if self.moved is None else self.moved
        return [(name, parameter) for name, parameter in self.network.named_parameters() if name in chosen]

    @property
    def device(self) -> torch.device:
        """Where the network is. What a kind draws comes from the CPU, so that all devices have the same."""
        return next(self.network.parameters()).device

    @property
    def first_names(self) -> dict[str, str]:
        """Every name of each parameter in a state, with the first that it has: tied ones are changed alike."""
        first = {id(parameter): name for name, parameter in self.network.named_parameters()}
        return {name: first[id(parameter)] for name, parameter in self.network.named_parameters(remove_duplicate=False)}

    def generator(self, kind: str, number: int) -> torch.Generator:
        """The random stream of a member of a kind, the same on every call."""
        digest = hashlib.sha256(f"{self.seed}/{kind}/{number}".encode()).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


@dataclass(frozen=True)
class MemberModel:
    """The states that a member has: those of training run `run`, `epochs_back` before its final one, changed.

    run: 0 is the trained model. change: of every state of the member alike, checkpoints and further models included;
    None: they stay as they are. network: in the place of the model; None: the same.
    """

    run: int = 0
    epochs_back: int = 0
    change: Change | None = None
    network: nn.Module | None = None
