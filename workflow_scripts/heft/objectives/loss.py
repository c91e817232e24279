"""loss: mean cross-entropy on the validation split.

f(theta) = (1/m) sum_j -log softmax(logits_j(theta))[y_j]        lower is better
"""

from torch import Tensor, nn
from torch.nn import functional

from heft.kernels.batch import Batch
from heft.kernels.functional import State
from heft.objectives.declare import objective
from heft.objectives.logits import differentiable_logits


@objective(title="Loss", formula="f = (1/m) sum_j -log p_j[y_j]", mean_over_examples=True)
def loss(model: nn.Module, state: State, batch: Batch) -> Tensor:
    """f as a scalar, in nats."""
    return functional.cross_entropy(differentiable_logits(model, state, batch.inputs), batch.labels)
