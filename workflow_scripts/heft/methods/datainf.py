"""datainf: influence of removing a training example, with each layer's inverse averaged over rank-one inverses."""

from functools import partial
from typing import Annotated

import torch
from annotated_types import Gt
from torch import Tensor, nn

from heft.kernels.layers.capture import layers_run_once
from heft.kernels.layers.layer_gradients import GradientBatches, by_examples, by_layers
from heft.kernels.layers.norms import has_known_gradients
from heft.kernels.layers.parts import is_linear_in_parameters, layers_owning, names_of, whole_of
from heft.kernels.losses import cross_entropy
from heft.methods.context import Context
from heft.methods.declare import method


@method(
    family="influence",
    title="DataInf",
    formula="s_i = sum_l <(v_l - mean_j c_jl g_jl) / lambda_l, g_il>,  c_jl = <g_jl, v_l> / (lambda_l + |g_jl|^2)",
    paper="Kwon et al. 2023, arXiv 2310.00902, equation 5 (opposite sign)",
    predicts="The change of f when example i is left out and the model is refitted near theta, up to a factor: "
    "n times the change is .01 to .04 of it.",
    needs=("final", "validation"),
    ensemble=True,
    assumes="That the mean of inverses is near the inverse of the mean, which holds for few parameters a layer "
    "(LoRA), and that layers do not act on each other.",
    cost="5 where all gradients are kept from the first of three passes to the others, else up to 12; many times that "
    "with a layer that has no rule, or runs more than once.",
    memory="One batch of activations and output gradients, up to 64 MB of gradients by layer, and two numbers for each "
    "example and layer.",
    fails="With large layers: the mean of rank-one inverses is then almost 1 / lambda, and DataInf almost ip.",
)
def datainf(context: Context, *, damping: Annotated[float, Gt(0)] = 0.1, parameters: str = "all") -> Tensor:
    """Influences [n_train] at the final parameters, with the labels of the data.

    damping: lambda_l = damping * mean_j |g_jl|^2 / D_l, D_l the number of the layer's parameters: the paper's
    choice, which follows the size of the gradients. A layer is a module with the parameters that it owns.
    parameters: `all`, `last` (layer), or a pattern of layer names.
    """
    v = context.objective_gradient(context.final, parameters)
    own, batches = _gradients(context, v)
    lengths, products = _lengths_and_products(batches, own, len(context.train.inputs))

    shifts, weights = {}, {}
    for name, tensors in own.items():
        shifts[name] = damping * lengths[name].mean() / sum(map(Tensor.numel, tensors.values()))
        if not shifts[name] > 0:  # all its gradients are zero, so it has no part in any score
            shifts[name] = torch.ones_like(shifts[name])
        weights[name] = products[name] / (shifts[name] + lengths[name]) / len(lengths[name])  # c_jl / n

    solved = {name: {key: tensor.clone() for key, tensor in tensors.items()} for name, tensors in own.items()}
    for rows, batch in batches:
        for name, gradients in batch.items():
            for key, mean in gradients.weighted_sum(weights[name][rows], own[name]).items():
                solved[name][key] -= mean
    for name, tensors in solved.items():
        for tensor in tensors.values():
            tensor /= shifts[name]

    scores = torch.zeros_like(lengths[next(iter(own))])
    for rows, batch in batches:
        for name, gradients in batch.items():
            scores[rows] += gradients.products(solved[name])
    return scores


def _gradients(context: Context, v: dict[str, Tensor]) -> tuple[dict[str, dict[str, Tensor]], GradientBatches]:
    """The parts v_l of v, and the gradients of all examples in the same layers."""
    model, state = context.network, context.final
    layers = layers_owning(layers_run_once(model, state, context.train.inputs[:2], v) or {}, v)
    if layers and all(map(_has_rule, layers.values())):
        own = {name: {key: v[full] for full, key in names_of(name, layer).items()} for name, layer in layers.items()}
        return own, GradientBatches(partial(by_layers, model, state, layers, cross_entropy), *context.train)
    own = {}
    for name, tensor in v.items():
        layer = name.rpartition(".")[0].split(".parametrizations.")[0]
        own.setdefault(layer, {})[name] = tensor
    return own, GradientBatches(partial(by_examples, model, state, own, cross_entropy), *context.train)


def _has_rule(layer: nn.Module) -> bool:
    return is_linear_in_parameters(whole_of(layer)) and has_known_gradients(layer)


def _lengths_and_products(
    batches: GradientBatches, own: dict[str, dict[str, Tensor]], n: int
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """|g_il|^2 and <g_il, v_l> of each layer, both [n]; written in place, since what each batch leaves behind would
    scatter over the memory and keep it from being used again."""
    like = next(iter(next(iter(own.values())).values()))
    lengths, products = ({name: like.new_empty(n) for name in own} for _ in range(2))
    for rows, batch in batches:
        for name, gradients in batch.items():
            lengths[name][rows] = gradients.squared_lengths()
            products[name][rows] = gradients.products(own[name])
    return lengths, products
