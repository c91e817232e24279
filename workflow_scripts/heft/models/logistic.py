"""logistic: multinomial logistic regression on the flattened input; its loss is convex."""

import math
from collections.abc import Sequence

from torch import nn

from heft.models.declare import model


@model()
def logistic(input_shape: Sequence[int], n_classes: int) -> nn.Module:
    """logits = W x + b."""
    return nn.Sequential(nn.Flatten(), nn.Linear(math.prod(input_shape), n_classes))
