"""Chooses which way projected gradients are made, from what either costs."""

import math

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from heft.kernels.calling import call
from heft.kernels.functional import LARGE_BATCH, State, activation_bytes, evaluation
from heft.kernels.projection.random_rows import RandomRows

DRAW_FLOPS = 128  # what a random number costs, in floating-point operations of a forward pass
PASS_FORWARDS = 4  # what a pass over the examples costs above its products with the rows, in forward passes


def examples_held(model: nn.Module, state: State, inputs: Tensor, rows: RandomRows) -> int:
    """Of how many examples activations and the longest gradient of a layer take no more than the rows would."""
    budget = rows.n_held * rows.n_columns * 4
    longest = 4 * max(tensor.numel() for tensor in rows.like.values())
    # activations are held as what entered the next layer, as the gradient by it, and as the graph has them
    each = max(longest, 3 * activation_bytes(model, state, inputs))
    return max(1, min(LARGE_BATCH, budget // each, len(inputs)))


def costs_less_drawn_again(model: nn.Module, state: State, inputs: Tensor, rows: RandomRows, n_examples: int) -> bool:
    """Whether drawing P for each `n_examples` examples costs less than a pass over all examples for each part of P."""
    with torch.no_grad(), evaluation(model), FlopCounterMode(display=False) as counter:
        call(model, state, inputs[:1])
    pass_flops = PASS_FORWARDS * len(inputs) * counter.get_total_flops()
    draw_flops = DRAW_FLOPS * rows.dimension * rows.n_columns
    n_passes = math.ceil(rows.dimension / rows.n_held)
    n_draws = math.ceil(len(inputs) / n_examples)
    return (n_draws - 1) * draw_flops < (n_passes - 1) * pass_flops
