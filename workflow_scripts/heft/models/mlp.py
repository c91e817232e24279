"""mlp: fully connected layers with GELU, which is smooth, so that influence and retraining can agree."""

import itertools
import math
from collections.abc import Sequence
from typing import Annotated

from annotated_types import Gt, Le, MinLen
from torch import nn

from heft.models.declare import model


@model()
def mlp(
    input_shape: Sequence[int],
    n_classes: int,
    *,
    hidden: Annotated[Sequence[Annotated[int, Gt(0), Le(1_048_576)]], MinLen(1)] = (128, 64),
) -> nn.Module:
    """Flattened input, hidden layers of the given widths, logits."""
    widths = [math.prod(input_shape), *hidden]
    layers: list[nn.Module] = [nn.Flatten()]
    for n_in, n_out in itertools.pairwise(widths):
        layers += [nn.Linear(n_in, n_out), nn.GELU()]
    return nn.Sequential(*layers, nn.Linear(widths[-1], n_classes))
