"""Draws the pictures that a training sees: each example anew in each epoch, the same for the same seed."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from heft.data.modalities.declare import Modality
from heft.devices import CPU
from heft.errors import HeftError
from heft.options import named
from heft.persons_code import persons_code, seed_generators
from heft.registry import find
from heft.seeds import derive_seed
from heft.training.augmentations.declare import Change
from heft.training.settings import TrainingSettings

KEY = "training.augmentation"


class Augmenter:
    """The inputs of examples as one training sees them; without an augmentation, as they are.

    What is drawn of an example follows from the seed of the batch order, the epoch and the example's row alone. So a
    retrained model sees of each example that is kept the pictures that the base model saw, and a model that is trained
    among others those that it would see alone.
    """

    def __init__(self, settings: TrainingSettings, inputs: Tensor, modality: Modality | None, order_seed: int) -> None:
        """inputs: [n, ...] of all examples. Raises HeftError where they are no pictures, or an option does not fit."""
        self._inputs, self._order_seed = inputs, order_seed
        same = inputs.new_zeros(()), inputs.new_ones(())
        self._mean, self._std = _scale(inputs, modality) if settings.augmentation else same
        self._changes = _changes(settings, inputs.shape[1:])
        self._epoch, self._seeds = 0, torch.zeros(0, dtype=torch.int64, device=CPU)

    def inputs(self, rows: Tensor, epoch: int) -> Tensor:
        """[b, ...] of rows [b] in epoch 1, 2, ...; raises HeftError where a change fails or returns another shape."""
        if not self._changes or not len(rows):
            return self._inputs[rows]
        if epoch != self._epoch:
            generator = torch.Generator().manual_seed(derive_seed(self._order_seed, "augmentation", epoch))
            self._epoch, self._seeds = epoch, torch.randint(2**63 - 1, (len(self._inputs),), generator=generator)
        pictures = (self._inputs[rows] * self._std + self._mean).cpu()  # on every device the same draws
        with persons_code(f"{KEY} fails on pictures of shape {list(pictures.shape[1:])}"):
            drawn = [self._changed(*each) for each in zip(pictures, self._seeds[rows.cpu()].tolist(), strict=True)]
        return (torch.stack(drawn).to(self._inputs.device) - self._mean) / self._std

    def _changed(self, picture: Tensor, seed: int) -> Tensor:
        seed_generators(seed)
        for name, change in self._changes.items():
            changed = change(picture)
            if not isinstance(changed, Tensor) or (changed.shape, changed.dtype) != (picture.shape, picture.dtype):
                raise HeftError(f"{KEY}: {name} returns {_kind(changed)} for {_kind(picture)}.")
            picture = changed
        return picture


def _changes(settings: TrainingSettings, shape: Sequence[int]) -> dict[str, Change]:
    """The changes of a picture in their order, each by its place and name."""
    made = {}
    for index, entry in enumerate(settings.augmentation):
        name, options = named(entry)
        place = f"{KEY}[{index}].{name}"
        with persons_code(f"{place} cannot be made"):
            made[place] = find("training/augmentations", name).configured(options)(tuple(shape))
    return made


def _scale(inputs: Tensor, modality: Modality | None) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation, each [channels, 1, ...]: a picture in 0..1 is `inputs * std + mean`."""
    scale = modality.picture_scale(inputs.shape[1]) if modality else None
    if scale is None:
        raise HeftError(f"{KEY} takes images, but the inputs of this data set are none; leave it out.")
    axes = [-1, *(1 for _ in inputs.shape[2:])]
    mean, std = (torch.tensor(values, dtype=inputs.dtype, device=inputs.device).view(axes) for values in scale)
    return mean, std


def _kind(value: Any) -> str:
    """`shape [3, 32, 32] and type float32`."""
    if not isinstance(value, Tensor):
        return f"a {type(value).__name__}"
    return f"shape {list(value.shape)} and type {str(value.dtype).removeprefix('torch.')}"
