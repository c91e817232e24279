"""Tied, reused, frozen, unused and detached parts; types; checkpointing; branches."""

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from battery.entry import N_CLASSES, N_INPUTS, Function, entry, head, tokens


def tied() -> nn.Module:
    """Two layers with one weight."""
    first, second = nn.Linear(N_INPUTS, N_INPUTS), nn.Linear(N_INPUTS, N_INPUTS)
    second.weight = first.weight
    return head(first, nn.Tanh(), second, width=N_INPUTS)


def registered_twice() -> nn.Module:
    """One layer under two names."""
    layer = nn.Linear(N_INPUTS, N_INPUTS)
    return head(layer, nn.Tanh(), layer, width=N_INPUTS)


def reused() -> nn.Module:
    """One layer that runs twice."""
    return Function(
        lambda self, x: self.out(torch.tanh(self.layer(torch.tanh(self.layer(x.flatten(1)))))),
        layer=nn.Linear(N_INPUTS, N_INPUTS),
        out=nn.Linear(N_INPUTS, N_CLASSES),
    )


def frozen(bias_alone: bool = False) -> nn.Module:
    """A first layer that training may not move, whole or its bias alone."""
    model = head(nn.Linear(N_INPUTS, 8))
    (model[1].bias if bias_alone else model[1]).requires_grad_(False)
    return model


def frozen_norm() -> nn.Module:
    """A normalisation that training may not move, in the middle."""
    model = head(nn.Linear(N_INPUTS, 8), nn.LayerNorm(8), nn.Linear(8, 8))
    model[2].requires_grad_(False)
    return model


def unused() -> nn.Module:
    """A layer that never runs, and a parameter that nothing reads."""
    return Function(
        lambda self, x: self.out(x.flatten(1)),
        out=nn.Linear(N_INPUTS, N_CLASSES),
        never=nn.Linear(3, 3),
        scale=nn.Parameter(torch.ones(2)),
    )


class Parted(nn.Module):
    """A first layer whose output reaches the logits in a way of its own; `auxiliary` is a head besides."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self.first, self.auxiliary, self.out = nn.Linear(N_INPUTS, 8), nn.Linear(8, N_CLASSES), nn.Linear(8, N_CLASSES)
        self.how = how

    def forward(self, x: Tensor) -> Tensor:
        with torch.set_grad_enabled(torch.is_grad_enabled() and self.how != "no_grad"):
            hidden = torch.tanh(self.first(x.flatten(1)))
        other = self.auxiliary(hidden)
        if self.how == "auxiliary":
            return self.out(hidden)
        if self.how == "detached":
            return self.out(hidden.detach()) + other.detach()
        if self.how == "half_detached":
            return self.out(hidden) + self.auxiliary(hidden.detach())
        if self.how == "no_grad_after":
            with torch.no_grad():
                factor = torch.sigmoid(other.mean(1, keepdim=True))
            return self.out(hidden) * factor
        return self.out(hidden) + other


def checkpointed(reentrant: bool) -> nn.Module:
    """A first layer whose activations are computed again in the backward pass."""
    return Function(
        lambda self, x: self.out(torch.tanh(checkpoint(self.first, x.flatten(1), use_reentrant=reentrant))),
        first=nn.Linear(N_INPUTS, 8),
        out=nn.Linear(8, N_CLASSES),
    )


def own_type(dtype: torch.dtype) -> nn.Module:
    """Layers of a type of their own, to which the inputs are cast."""
    return Function(lambda self, x: self.net(x.to(dtype)), net=head(nn.Linear(N_INPUTS, 8)).to(dtype))


def branch_of_parameter() -> nn.Module:
    """A branch on a number that depends on no example."""
    return Function(
        lambda self, x: self.out(torch.tanh(self.first(x.flatten(1)))) * (2 if self.switch.item() > 0 else 1),
        first=nn.Linear(N_INPUTS, 8),
        out=nn.Linear(8, N_CLASSES),
        switch=nn.Parameter(torch.tensor(1.0), requires_grad=False),
    )


def where() -> nn.Module:
    """Each example takes one of two heads, by itself."""
    return Function(
        lambda self, x: torch.where(
            x.flatten(1).mean(1, keepdim=True) > 0, self.first(x.flatten(1)), self.second(x.flatten(1))
        ),
        first=nn.Linear(N_INPUTS, N_CLASSES),
        second=nn.Linear(N_INPUTS, N_CLASSES),
    )


def raw_parameters() -> nn.Module:
    """A list and a dictionary of parameters, of which one is used twice."""
    return Function(
        lambda self, x: (tokens(x) * self.several[0] + self.several[1] * self.several[0]).flatten(1) @ self.named["w"],
        several=nn.ParameterList([torch.randn(4, 4), torch.randn(4)]),
        named=nn.ParameterDict({"w": torch.randn(N_INPUTS, N_CLASSES) / 4}),
    )


MODELS = {
    "tied": entry(tied),
    "registered_twice": entry(registered_twice),
    "reused": entry(reused),
    "frozen_layer": entry(frozen),
    "frozen_bias": entry(lambda: frozen(bias_alone=True)),
    "frozen_norm": entry(frozen_norm),
    "unused": entry(unused),
    "auxiliary_head": entry(lambda: Parted("auxiliary")),
    "no_grad": entry(lambda: Parted("no_grad")),
    "no_grad_after": entry(lambda: Parted("no_grad_after")),
    "detached": entry(lambda: Parted("detached")),
    "half_detached": entry(lambda: Parted("half_detached")),
    "checkpointed": entry(lambda: checkpointed(reentrant=False)),
    "raw_parameters": entry(raw_parameters),
    "branch_of_parameter": entry(branch_of_parameter),
    "where": entry(where),
    "double": entry(lambda: own_type(torch.float64), own_type=True),
    "bfloat16": entry(lambda: own_type(torch.bfloat16), own_type=True),
}
