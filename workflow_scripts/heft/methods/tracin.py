"""tracin: inner products of training and validation gradients, summed over checkpoints (TracInCP)."""

from torch import Tensor

from heft.kernels.directional import summed_derivatives
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="gradients",
    title="TracIn",
    formula="s_i = sum_t eta_t <grad f(theta_t), grad l_i(theta_t)>  over spaced checkpoints t",
    paper="Pruthi et al. 2020, arXiv 2002.08484, equation 1 of section 3.2 (TracInCP)",
    predicts="Minus the change of f over training that steps on example i caused; derived for plain SGD.",
    needs=("spaced", "validation"),
    ensemble=True,
    assumes="Plain SGD, steps small enough that each changes the loss linearly, and few checkpoints that stand "
    "for all.",
    derived_for_sgd="a step is the learning rate times the gradient",
    cost="3 to 6 for each checkpoint.",
    memory="One batch of activations with their tangents.",
    fails="With momentum or an adaptive optimiser, for which it was not derived; it adds early noise to late signal.",
)
def tracin(context: Context, *, parameters: str = "all") -> Tensor:
    """Sums [n_train]; eta_t is the learning rate at checkpoint t.

    parameters: `all`, `last` (layer), or a pattern of layer names.
    """
    points = []
    for checkpoint in context.spaced:
        v = context.objective_gradient(checkpoint.state, parameters)
        points.append((checkpoint.state, {name: checkpoint.learning_rate * tensor for name, tensor in v.items()}))
    return summed_derivatives(context.network, points, *context.train)
