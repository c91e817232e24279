"""datainf: influence of removing a training example, with each layer's inverse averaged over rank-one inverses."""

import torch
from torch import Tensor, nn

from heft.errors import HeftError
from heft.kernels.capture import batches_of, layers_run_once, output_gradient_batches
from heft.kernels.contraction import LINEAR_IN_PARAMETERS, names_of, pulled
from heft.kernels.directional import cross_entropy, summed_derivatives
from heft.kernels.norms import has_norm_rule, squared_layer_norms_and_products
from heft.methods.registry import Context, method


@method(
    title="DataInf",
    formula="s_i = sum_l <(v_l - mean_j c_jl g_jl) / lambda_l, g_il>,  c_jl = <g_jl, v_l> / (lambda_l + |g_jl|^2)",
    paper="Kwon et al. 2023, arXiv 2310.00902, equation 5 (opposite sign)",
    predicts="n times the change of f when example i is left out and the model is refitted near theta.",
    needs=("final", "validation"),
    ensemble=True,
    assumes="That the mean of inverses is near the inverse of the mean, which holds for few parameters a layer "
    "(LoRA), and that layers do not act on each other.",
    cost="9 to 12: two passes of layer gradients and one in forward mode.",
    memory="One batch of activations and output gradients; two numbers for each example and layer.",
    fails="With large layers: the mean of rank-one inverses is then almost 1 / lambda, and DataInf almost ip.",
)
def datainf(context: Context, *, damping: float = 0.1, parameters: str = "all") -> Tensor:
    """Influences [n_train] at the final parameters, with the labels of the data.

    damping (above 0): lambda_l = damping * mean_j |g_jl|^2 / D_l, D_l the number of the layer's parameters: the paper's
    choice, which follows the size of the gradients. parameters: `all`, `last` (layer), or a pattern of layer names.
    Raises HeftError where damping is out of range, or naming a layer whose gradients are not known layer by layer.
    """
    if not damping > 0:
        raise HeftError(f"damping is {damping}; it must be above 0.")
    v = context.objective_gradient(context.final, parameters)
    model, state, (inputs, labels) = context.network, context.final, context.train
    layers = _layers(context, v)
    own = {name: {key: v[full] for full, key in names_of(name, layer).items()} for name, layer in layers.items()}

    lengths, products = _lengths_and_products(context, layers, own)
    coefficients, shifts = {}, {}
    for name, tensors in own.items():
        size = sum(tensor.numel() for tensor in tensors.values())
        shifts[name] = damping * lengths[name].mean() / size
        if not shifts[name] > 0:
            raise HeftError(
                f"All gradients of layer {name or type(model).__name__} are zero; leave it out by parameters."
            )
        coefficients[name] = products[name] / (shifts[name] + lengths[name]) / len(inputs)

    direction = {name: tensor.clone() for name, tensor in v.items()}
    start, batches = 0, batches_of(model, state, inputs, labels)
    for batch in output_gradient_batches(model, state, layers, batches, cross_entropy):
        for name, (captured, delta) in batch.items():
            weights = coefficients[name][start : start + len(delta)].view(-1, *(1 for _ in delta.shape[1:]))
            mean = pulled(layers[name], own[name], captured, weights * delta)
            for full, key in names_of(name, layers[name]).items():
                direction[full] -= mean[key]
        start += len(delta)
    for name, layer in layers.items():
        for full in names_of(name, layer):
            direction[full] /= shifts[name]
    return summed_derivatives(model, [(state, direction)], inputs, labels)


def _layers(context: Context, v: dict[str, Tensor]) -> dict[str, nn.Module]:
    found = layers_run_once(context.network, context.final, context.train.inputs[:2])
    if found is None:
        raise HeftError("DataInf needs a model whose layers each run once on rows of examples and share no parameter.")
    layers = {name: layer for name, layer in found.items() if names_of(name, layer).keys() & v.keys()}
    for name, layer in layers.items():
        if type(layer) not in LINEAR_IN_PARAMETERS or not has_norm_rule(layer):
            raise HeftError(
                f"DataInf has no rule for layer {name} ({type(layer).__name__}); leave it out by parameters."
            )
    return layers


def _lengths_and_products(
    context: Context, layers: dict[str, nn.Module], own: dict[str, dict[str, Tensor]]
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """|g_il|^2 and <g_il, v_l> of each layer, both [n]; written in place, since what each batch leaves behind would
    scatter over the memory and keep it from being used again."""
    inputs, labels = context.train
    lengths, products = ({name: inputs.new_empty(len(inputs)) for name in layers} for _ in range(2))
    start, batches = 0, batches_of(context.network, context.final, inputs, labels)
    with torch.no_grad():
        for batch in output_gradient_batches(context.network, context.final, layers, batches, cross_entropy):
            for name, (captured, delta) in batch.items():
                rows, layer = slice(start, start + len(delta)), layers[name]
                lengths[name][rows], products[name][rows] = squared_layer_norms_and_products(
                    layer, captured, delta, own[name]
                )
            start += len(delta)
    return lengths, products
