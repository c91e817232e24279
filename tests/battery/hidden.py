"""Modules that give no sound score for a reason that does not show at the first look; each is refused in a sentence."""

import random
from collections import namedtuple
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from battery.entry import N_CLASSES, N_INPUTS, Entry, Function, entry, head, tokens

Outputs = namedtuple("Outputs", ["logits", "auxiliary"])


def after(change: Callable[[Function, Tensor], Any]) -> Entry:
    """The hidden features [n, 8] of a first layer, and what `change` makes of them."""

    def run(self: Function, x: Tensor) -> Any:
        return change(self, torch.tanh(self.first(x.flatten(1))))

    return entry(lambda: Function(run, first=nn.Linear(N_INPUTS, 8), out=nn.Linear(8, N_CLASSES)))


def refused(working: Entry, sentence: str) -> Entry:
    return Entry(working.build, refused=sentence)


def zero_head() -> nn.Module:
    """Dropout that is always on, before a layer that is zero at the start."""
    out = nn.Linear(8, N_CLASSES)
    nn.init.zeros_(out.weight)
    return Function(
        lambda self, x: self.out(functional.dropout(self.first(x.flatten(1)), 0.5)),
        first=nn.Linear(N_INPUTS, 8),
        out=out,
    )


def own_noise(self: Function, hidden: Tensor) -> Tensor:
    self.generator = getattr(self, "generator", None) or torch.Generator().manual_seed(0)
    return self.out(hidden + torch.randn(hidden.shape, generator=self.generator))


def of_numpy(self: Function, hidden: Tensor) -> Tensor:
    return self.out(hidden + torch.from_numpy(np.random.rand(8)).float())


def of_python(self: Function, hidden: Tensor) -> Tensor:
    return self.out(hidden * random.random())


def remembers(self: Function, hidden: Tensor) -> Tensor:
    self.mean = 0.9 * getattr(self, "mean", 0.0) + 0.1 * hidden.detach().mean(0)
    return self.out(hidden - self.mean)


def runs_on(self: Function, hidden: Tensor) -> Tensor:
    """Statistics that follow the data in evaluation mode too."""
    self.get_buffer("mean").mul_(0.9).add_(0.1 * hidden.detach().mean(0))
    return self.out(hidden - self.get_buffer("mean"))


def with_buffer() -> nn.Module:
    model = after(runs_on).build((1, 4, 4), N_CLASSES)
    model.register_buffer("mean", torch.zeros(8))
    return model


def two_in_training(self: Function, hidden: Tensor) -> Any:
    return Outputs(self.out(hidden), hidden) if self.training else self.out(hidden)


def through_numpy(self: Function, hidden: Tensor) -> Tensor:
    return torch.from_numpy(self.out(hidden).detach().numpy())


def worked_in_place(self: Function, hidden: Tensor) -> Tensor:
    logits = self.out(hidden)
    hidden += 1
    return logits


def one_of_two_layers() -> nn.Module:
    """Which of two layers runs depends on the batch."""
    return Function(
        lambda self, x: (self.first if x.mean().item() > 0 else self.second)(x.flatten(1)),
        first=nn.Linear(N_INPUTS, N_CLASSES),
        second=nn.Linear(N_INPUTS, N_CLASSES),
    )


def recurrent(kind: str) -> nn.Module:
    return Function(
        lambda self, x: self.out(self.layer(tokens(x))[0][:, -1]),
        layer=getattr(nn, kind)(4, 5),
        out=nn.Linear(5, N_CLASSES),
    )


def encoder() -> nn.Module:
    layer = nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0)
    return Function(lambda self, x: self.out(self.block(tokens(x)).mean(1)), block=layer, out=nn.Linear(4, N_CLASSES))


def picture_norm() -> nn.Module:
    norm = nn.BatchNorm2d(3, track_running_stats=False)
    return nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), norm, nn.SiLU(), nn.Flatten(), nn.Linear(48, N_CLASSES))


def renormed() -> nn.Module:
    return Function(
        lambda self, x: self.out(self.embed((x.flatten(1).abs() * 2).long().clamp(0, 7)).mean(1)),
        embed=nn.Embedding(8, 8, max_norm=0.5),
        out=nn.Linear(8, N_CLASSES),
    )


def not_initialised() -> nn.Module:
    model = head(nn.Linear(N_INPUTS, 8))
    nn.init.constant_(model[1].weight, float("nan"))
    return model


def not_reached() -> nn.Module:
    return Function(lambda self, x: self.out(x.flatten(1)), out=nn.Linear(N_INPUTS, N_CLASSES), never=nn.LazyLinear(3))


def complex_weight() -> nn.Module:
    weight = nn.Parameter(torch.randn(N_INPUTS, N_CLASSES, dtype=torch.complex64))
    return Function(lambda self, x: (x.flatten(1).to(weight.dtype) @ self.weight).abs(), weight=weight)


ALONE = "does not treat each example by itself"
MODELS = {
    "zero_head": refused(entry(zero_head), "random in evaluation mode"),
    "own_noise": refused(after(own_noise), "same logits"),
    "noise_of_numpy": refused(after(of_numpy), "random in evaluation mode"),
    "noise_of_python": refused(after(of_python), "random in evaluation mode"),
    "remembers": refused(after(remembers), "same logits"),
    "runs_on": refused(entry(with_buffer), "changes mean"),
    "two_in_training": refused(after(two_in_training), "in training mode, returns a Outputs"),
    "through_numpy": refused(after(through_numpy), "no gradient"),
    "worked_in_place": refused(after(worked_in_place), "cannot be differentiated"),
    "recurrent_sequence_first": refused(entry(lambda: recurrent("GRU")), "GRU takes the first axis for positions"),
    "encoder_sequence_first": refused(entry(encoder), "batch_first"),
    "picture_norm": refused(entry(picture_norm), "layer 1 (BatchNorm2d) makes"),
    "embedding_with_max_norm": refused(entry(renormed), "changes embed.weight"),
    "squeezed": refused(after(lambda self, hidden: self.out(hidden).squeeze()), "[4] for 1 example; expected [1, 4]"),
    "one_of_two_layers": refused(entry(one_of_two_layers), ALONE),
    "sorted": refused(after(lambda self, hidden: self.out(hidden.sort(0).values)), ALONE),
    "softmax_of_batch": refused(after(lambda self, hidden: self.out(hidden.softmax(0))), ALONE),
    "shifted": refused(after(lambda self, hidden: self.out(hidden + hidden.roll(1, 0))), ALONE),
    "largest_of_batch": refused(after(lambda self, hidden: self.out(hidden / hidden.abs().max())), ALONE),
    "complex_logits": refused(after(lambda self, hidden: torch.complex(*2 * (self.out(hidden),))), "complex64"),
    "complex_weight": refused(entry(complex_weight), "weight is complex"),
    "not_initialised": refused(entry(not_initialised), "1.weight holds nan at the start"),
    "not_reached": refused(entry(not_reached), "does not reach its lazy layer never"),
    "on_meta": refused(entry(lambda: head(nn.Linear(N_INPUTS, 8)).to("meta")), "meta"),
    "rounded": refused(after(lambda self, hidden: self.out(hidden).round().detach()), "no gradient"),
    "of_batch_size": refused(after(lambda self, hidden: self.out(hidden) / len(hidden)), ALONE),
}
