"""macro_loss: mean over classes of the class's mean cross-entropy on the validation split.

f(theta) = (1/C) sum_c (1/m_c) sum_{j: y_j = c} -log softmax(logits_j(theta))[c]        lower is better
over the C classes that have an example, m_c of them: a rare class counts as much as a frequent one.
"""

from torch import Tensor, nn

from heft.kernels.batch import Batch
from heft.kernels.class_means import mean_of_class_means
from heft.kernels.functional import State
from heft.kernels.losses import cross_entropy
from heft.objectives.declare import objective
from heft.objectives.logits import differentiable_logits


@objective(title="Macro loss", formula="f = (1/C) sum_c (1/m_c) sum_{j: y_j = c} -log p_j[c]")
def macro_loss(model: nn.Module, state: State, batch: Batch) -> Tensor:
    """f as a scalar, in nats."""
    losses = cross_entropy(differentiable_logits(model, state, batch.inputs), batch.labels)
    return mean_of_class_means(losses, batch.labels)
