"""remove: takes the lowest-scored share of the training split away."""

import numpy as np

from heft.curation.declare import ActionContext, Curated, action


@action(
    title="Remove",
    verb="remove",
    gerund="removing",
    participle="removed",
    noun="removal",
    does="Takes the lowest-scored fraction out of the training set; the other examples stay as they are.",
    changes=("kept",),
)
def remove(context: ActionContext) -> Curated:
    """Exactly `round(fraction * n)` examples leave, lowest scores first."""
    kept = np.ones(len(context.labels), dtype=bool)
    kept[context.lowest] = False
    return context.curated(kept=kept)
