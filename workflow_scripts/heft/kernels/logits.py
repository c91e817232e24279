"""What logits say about a label."""

import torch
from torch import Tensor


def label_and_largest_other(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Of logits [n, n_classes] and labels [n]: the label's logit [n] and the largest of the others [n]."""
    label = labels[:, None]
    return logits.gather(1, label)[:, 0], logits.scatter(1, label, -torch.inf).amax(dim=1)
