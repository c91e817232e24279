"""relabel: gives low-scored examples the class that models which did not train on them are sure of."""

from typing import Annotated

from annotated_types import Ge, Lt

from heft.curation.declare import ActionContext, Curated, action


@action(
    title="Relabel",
    verb="relabel",
    gerund="relabelling",
    participle="relabelled",
    noun="relabelling",
    does="Gives each example of the lowest-scored fraction the class that models which did not train on it predict, if "
    "its probability is above the threshold; for oracle the true class. All examples stay.",
    changes=("label",),
    needs=("folds",),
)
def relabel(context: ActionContext, *, threshold: Annotated[float, Ge(0), Lt(1)] = 0.5) -> Curated:
    """Changes labels among the `round(fraction * n)` lowest scores alone; the others keep theirs.

    threshold: an example whose most probable class is not more probable than this keeps its label. At 0.5 a class is
    more probable than all others together. If a share r of the labels is wrong, models that are calibrated to these
    labels give hardly any class more than 1 - r, so that a high threshold relabels little.
    """
    labels, rows = context.labels.copy(), context.lowest
    if context.true_labels is not None:
        labels[rows] = context.true_labels[rows]
    else:
        probabilities = context.held_out_probabilities("folds")[rows]
        sure = probabilities.max(axis=1) > threshold
        labels[rows[sure]] = probabilities[sure].argmax(axis=1)
    return context.curated(label=labels)
