"""Modules that training, kernels and every method are tried on: each works, or is refused in one sentence.

Inputs have shape [n, 1, 4, 4]; outputs are logits of 4 classes. `battery.MODELS` has all of them by name.
"""

import torch
from torch import Tensor, nn

from battery import convolutions, hidden, layers, normalisations, refusals, sequences, sharing
from battery.entry import INPUT_SHAPE, N_CLASSES, Entry

ROOMS = (layers, convolutions, normalisations, sequences, sharing, refusals, hidden)
MODELS: dict[str, Entry] = {name: entry for room in ROOMS for name, entry in room.MODELS.items()}
WORKING = {name: entry for name, entry in MODELS.items() if not entry.refused}
REFUSED = {name: entry for name, entry in MODELS.items() if entry.refused}
# What `make quick` tries of them, one of each road through the kernels; `make test` tries all.
QUICK = {
    "logistic", "linear", "embedding", "conv2d", "conv2d_groups", "conv1d", "batch_norm_2d", "layer_norm", "dropout",
    "attention", "lstm", "reused", "tied", "frozen_layer", "unused", "checkpointed", "raw_parameters", "double",
    "bfloat16",
}  # fmt: skip
assert set(MODELS) > QUICK


def build(name: str, seed: int = 0) -> nn.Module:
    """The model of that name in evaluation mode, in its own types; torch's global generator stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return MODELS[name].build(INPUT_SHAPE, N_CLASSES).eval()


def examples(n: int, seed: int = 0, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Inputs [n, 1, 4, 4] around a centre for each class, and labels int64 [n]; the same for every `dtype`."""
    generator = torch.Generator().manual_seed(seed)
    centres = 2 * torch.randn(N_CLASSES, *INPUT_SHAPE, generator=generator, dtype=torch.float64)
    labels = torch.arange(n) % N_CLASSES
    noise = torch.randn(n, *INPUT_SHAPE, generator=generator, dtype=torch.float64)
    return (centres[labels] + noise).to(dtype), labels
