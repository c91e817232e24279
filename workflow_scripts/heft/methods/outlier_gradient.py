"""outlier_gradient: examples whose gradients lie apart from the others', by an isolation forest, are lowest."""

import numpy as np
import torch
from torch import Tensor

from heft.kernels.curvature.kronecker import matrix_layers
from heft.kernels.functional import MEMORY_BUDGET
from heft.kernels.layers.capture import batches_of, output_gradient_batches
from heft.kernels.layers.matrix_gradients import flat_gradients
from heft.kernels.losses import cross_entropy
from heft.methods.context import Context
from heft.methods.declare import method

FITTED_ROWS = 8192  # 100 trees see 256 each


@method(
    family="gradients",
    title="Outlier gradient",
    formula="s_i = -2^(-E[depth of grad l_i] / c(256)),  depth in the trees of an isolation forest",
    paper="Chhabra et al. 2024, arXiv 2405.03869 (OGA); forest: Liu, Ting and Zhou 2008 (scikit-learn)",
    predicts="How easily the gradient is told apart from the others; not the effect of removal.",
    needs=("final",),
    ensemble=True,
    assumes="That detrimental examples are few and have unusual gradients. It needs no validation split.",
    cost="About 3, and 100 trees.",
    memory="The gradients of the selected layers for 8,192 examples.",
    fails="Where wrong labels are systematic, so that their gradients form a cluster of their own.",
)
def outlier_gradient(context: Context, *, parameters: str = "last") -> Tensor:
    """Minus the anomaly scores [n_train], in [-1, 0].

    The forest is fitted to 8,192 examples drawn at random, of which each tree sees 256, and reads the others in blocks.
    parameters: `last` (layer), `all`, or a pattern of layer names; Linear and Conv2d layers only.
    """
    from sklearn.ensemble import IsolationForest

    names = context.parameter_names(parameters)
    layers, others = matrix_layers(context.network, context.final, context.train.inputs[:2], names)
    if others:
        context.warn(f"the parameters of {', '.join(others)} are left out: only Linear and Conv2d are looked at")
    n, generator = len(context.train.labels), context.generator("outlier_gradient")
    chosen = torch.randperm(n, generator=generator)[:FITTED_ROWS].sort().values.to(context.train.labels.device)
    size = sum(tensor.numel() for name, tensor in context.final.items() if name in names)
    block = max(1, MEMORY_BUDGET // (4 * size))
    fitted = np.concatenate([_gradients(context, layers, rows) for rows in chosen.split(block)])
    forest = IsolationForest(random_state=int(torch.randint(2**31, (), generator=generator)))
    forest.fit(fitted)
    blocks = torch.arange(n, device=chosen.device).split(block)
    return torch.from_numpy(
        np.concatenate([forest.score_samples(_gradients(context, layers, rows)) for rows in blocks])
    )


def _gradients(context: Context, layers: dict[str, torch.nn.Module], rows: Tensor) -> np.ndarray:
    """Gradients of the layers' matrices [b, d], of some examples."""
    inputs, labels = context.train.inputs[rows], context.train.labels[rows]
    parts = []
    batches = batches_of(context.network, context.final, inputs, labels)
    for batch in output_gradient_batches(context.network, context.final, layers, batches, cross_entropy):
        by_layer = [flat_gradients(layers[name], *captured) for name, captured in batch.items()]
        parts.append(torch.cat(by_layer, dim=1))
    gradients = torch.cat(parts).cpu()  # where the forest grows
    return gradients.float().numpy() if gradients.dtype == torch.bfloat16 else gradients.numpy()
