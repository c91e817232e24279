"""loss: mean cross-entropy on the validation split.

f(theta) = (1/m) sum_j -log softmax(logits_j(theta))[y_j]        lower is better
"""

from torch import Tensor
from torch.nn import functional

from heft.objectives.gradient import mean_over_examples


@mean_over_examples
def loss(logits: Tensor, labels: Tensor) -> Tensor:
    """f as a scalar, from logits [m, n_classes] and labels [m]."""
    return functional.cross_entropy(logits, labels)
