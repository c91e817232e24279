"""Pictures, and what a training draws of them."""

from dataclasses import replace
from typing import Any

import torch
from torch import Tensor
from training_cases import SETTINGS, SHAPE, N
from training_cases import examples as plain_examples

from heft.data.examples import Examples
from heft.data.modalities.images import Images
from heft.training.augment import Augmenter

NORMALISED = Images(mean=0.2, std=0.5)
ALL = torch.arange(N)
FLIP: list[Any] = [{"horizontal_flip": {"probability": 1.0}}]
SEVERAL: list[Any] = [{"random_crop": {"padding": 2}}, "horizontal_flip", "random_erasing"]


def examples(dtype: torch.dtype = torch.float64) -> Examples:
    """Pictures in 0..1 as a model sees them, normalised."""
    pictures = torch.rand(N, *SHAPE, generator=torch.Generator().manual_seed(3), dtype=dtype)
    return replace(plain_examples(dtype=dtype), inputs=(pictures - 0.2) / 0.5, modality=NORMALISED)


def drawn(augmentation: list[Any], rows: Tensor = ALL, epoch: int = 1, seed: int = 7) -> Tensor:
    settings, train = replace(SETTINGS, augmentation=augmentation), examples()
    return Augmenter(settings, train.inputs, train.modality, seed).inputs(rows, epoch)
