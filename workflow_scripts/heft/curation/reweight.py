"""reweight: lets the lowest-scored share of the training split count less."""

from typing import Annotated

import numpy as np
from annotated_types import Gt, Lt

from heft.curation.declare import ActionContext, Curated, action


@action(
    title="Down-weight",
    verb="down-weight",
    gerund="down-weighting",
    participle="down-weighted",
    noun="down-weighting",
    does="Multiplies the loss of each example of the lowest-scored fraction by a fixed weight. All examples stay, with "
    "their labels.",
    changes=("weight",),
)
def reweight(context: ActionContext, *, weight: Annotated[float, Gt(0), Lt(1)] = 0.5) -> Curated:
    """Weights exactly `round(fraction * n)` examples, lowest scores first, with `weight`.

    The loss of a batch is the weighted mean over its examples. A weight of 0 would be `remove`, of 1 nothing.
    """
    weights = np.ones(len(context.labels), dtype=np.float32)
    weights[context.lowest] = weight
    return context.curated(weight=weights)
