"""A small classifier of torchvision's, with random weights in files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torchvision import models

from heft.models.build import ModelSpec

NAME, HEAD = "shufflenet_v2_x0_5", ("fc.weight", "fc.bias")  # 0.35 million parameters, with batch normalisation
COLOURED, GREY = (3, 32, 32), (1, 32, 32)


def reference(n_classes: int, seed: int = 5) -> nn.Module:
    """Torchvision's own, in evaluation mode, with statistics of batch normalisation that are not the initial ones."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        network: nn.Module = models.get_model(NAME, num_classes=n_classes)
        for name, buffer in network.named_buffers():
            if name.endswith(("running_mean", "running_var")):
                buffer.copy_(0.5 + torch.rand(buffer.shape))
    return network.eval()


def saved(folder: Path, network: nn.Module, name: str = "weights.pt") -> str:
    """The path of a file with the network's state."""
    state = {key: value.contiguous() for key, value in network.state_dict().items()}
    if name.endswith(".safetensors"):
        save_file(state, folder / name)
    else:
        torch.save(state, folder / name)
    return str(folder / name)


def built(options: Mapping[str, Any], shape: tuple[int, ...] = COLOURED, n_classes: int = 4) -> nn.Module:
    """The model that is named so, without the check whether it is sound."""
    return ModelSpec("torchvision", {"name": NAME, **options}, shape, n_classes).build(seed=1)


def pictures(shape: tuple[int, ...] = COLOURED, n: int = 6) -> Tensor:
    return torch.rand(n, *shape, generator=torch.Generator().manual_seed(2))
