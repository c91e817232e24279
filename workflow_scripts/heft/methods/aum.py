"""aum: area under the margin; examples whose label the model held weakly all through training are lowest."""

from torch import Tensor

from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="training",
    title="AUM",
    formula="s_i = mean_t (z_i(theta_t)[y_i] - max_{c != y_i} z_i(theta_t)[c])  over all epochs t",
    paper="Pleiss et al. 2020, arXiv 2001.10528, equation 1 (there at the minibatch of each epoch)",
    predicts="How firmly training as a whole supports the given label; not the effect of removal.",
    needs=("dynamics",),
    ensemble=True,
    assumes="That wrong labels are held weakly all through training.",
    cost="1 for each epoch, recorded in training.",
    memory="Two numbers for each example and epoch.",
    fails="Where one wrong class is systematic, so that the model supports it early.",
)
def aum(context: Context) -> Tensor:
    """Mean margins [n_train] of raw logits, taken after each epoch."""
    return context.recorded.margin.mean(dim=0)
