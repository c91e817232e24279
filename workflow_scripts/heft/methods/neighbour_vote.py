"""neighbour_vote: examples whose nearest neighbours carry another label are lowest."""

from typing import Annotated, Literal

from annotated_types import Ge, Le
from torch import Tensor

from heft.errors import HeftError
from heft.kernels.label_quality import label_quality, likeliest_labels
from heft.kernels.neighbours import neighbour_shares
from heft.kernels.out_of_fold import only_units_kept
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="inputs",
    title="Neighbour vote",
    formula="s_i = q_i[y_i] - max_{c != y_i} q_i[c],  q_i[c] the share of label c among the k examples nearest to i",
    paper="Zhu et al. 2022, arXiv 2110.06283 (SimiFeat-V, there by rounds); margin: Northcutt et al. 2021, "
    "arXiv 1911.00068",
    predicts="How firmly the labels of similar examples support the given one; not the effect of removal.",
    needs=(),
    ensemble=False,
    assumes="That near inputs have the same class: features of an encoder more than raw pixels.",
    cost="n times the numbers of an input, for each example; 50,000 of 1,280 numbers take a minute or two.",
    memory="The inputs once more, and 64 MiB.",
    fails="Where wrong labels lie together, so that neighbours agree on them, and with classes of fewer than k / 2 "
    "examples.",
)
def neighbour_vote(
    context: Context,
    *,
    k: Annotated[int, Ge(1), Le(10_000)] = 20,
    metric: Literal["cosine", "euclidean"] = "cosine",
    quality: Literal["normalized_margin", "self_confidence"] = "normalized_margin",
) -> Tensor:
    """Margins of the vote [n_train] in [-1, 1], or shares in [0, 1] where quality is self_confidence.

    The neighbours are exact, by the inputs as they are, flattened; of examples as near as the k-th each counts
    alike for what is left of k. Identical examples are neighbours like others; those of one group, and
    near-duplicates, which splits keep together, are none, since they tell nothing independent. k: more is steadier,
    and blind to small classes. metric: euclidean for tables, whose columns are best scaled alike. quality: the label's
    share minus the largest other one, or the label's share alone. The only example, or group, of a class keeps its
    label, with all shares. Raises HeftError where there is a single example, or a single group.
    """
    (inputs, _), labels, units = context.train, context.train.labels.cpu(), context.train.units
    if len(labels) < 2:
        raise HeftError("one training example has no neighbour; expected at least two.")
    shares = neighbour_shares(inputs, labels, context.n_classes, k, metric, units)
    shares = only_units_kept(shares, labels, units)
    context.suggest(likeliest_labels(shares, labels))
    return label_quality(shares, labels, quality)
