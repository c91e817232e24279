"""forgetting: examples that the model learned and lost most often are lowest, those never learned lowest of all."""

import torch
from torch import Tensor

from heft.devices import in_float64
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="training",
    title="Forgetting",
    formula="s_i = -#{t: right after epoch t, wrong after t + 1};  -(number of epochs) where never right",
    paper="Toneva et al. 2019, arXiv 1812.05159, definitions 1 and 2 (there counted at each minibatch)",
    predicts="How unstable the example is in training; not the effect of removal.",
    needs=("dynamics",),
    ensemble=True,
    assumes="That what is learned and lost is atypical.",
    cost="1 for each epoch, recorded in training.",
    memory="Two numbers for each example and epoch.",
    fails="With few epochs nearly all examples tie; never learned ones are lowest whatever the reason.",
)
def forgetting(context: Context) -> Tensor:
    """Minus the number of forgetting events [n_train], counted after each epoch on the whole training split.

    Whole numbers: many examples tie, and the seed draws which of equal ones leave first.
    """
    right = context.recorded.margin > 0  # [n_epochs, n_train]
    events = (right[:-1] & ~right[1:]).sum(dim=0)
    return -in_float64(torch.where(right.any(dim=0), events, len(right)))
