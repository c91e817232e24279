"""Modules that give no sound score: each is refused in one sentence before any training."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from battery.entry import N_CLASSES, N_INPUTS, Function, entry, head, tokens


def two_layers(middle: str, **parts: nn.Module) -> nn.Module:
    """Two linear layers with something in between, by name."""
    return Function(IN_BETWEEN[middle], first=nn.Linear(N_INPUTS, 8), out=nn.Linear(8, N_CLASSES), **parts)


def always_dropout(self: Function, x: Tensor) -> Tensor:
    return self.out(functional.dropout(torch.tanh(self.first(x.flatten(1))), 0.3))


def noise(self: Function, x: Tensor) -> Tensor:
    hidden = self.first(x.flatten(1))
    return self.out(torch.tanh(hidden + torch.randn_like(hidden)))


def changes_input(self: Function, x: Tensor) -> Tensor:
    x -= 0.1
    x *= 0.9
    return self.out(torch.tanh(self.first(x.flatten(1))))


def centred(self: Function, x: Tensor) -> Tensor:
    hidden = self.first(x.flatten(1))
    return self.out(torch.tanh(hidden - hidden.mean(0)))


def branch_of_batch(self: Function, x: Tensor) -> Tensor:
    hidden = torch.tanh(self.first(x.flatten(1)))
    return self.out(hidden if x.mean().item() > 0 else -hidden)


def counts_calls(self: Function, x: Tensor) -> Tensor:
    self.calls = getattr(self, "calls", 0) + 1
    return self.out(torch.tanh(self.first(x.flatten(1)))) * self.calls


def as_tuple(self: Function, x: Tensor) -> tuple[Tensor, Tensor]:
    hidden = torch.tanh(self.first(x.flatten(1)))
    return self.out(hidden), hidden


def as_dict(self: Function, x: Tensor) -> dict[str, Tensor]:
    return {"logits": self.out(torch.tanh(self.first(x.flatten(1))))}


def nothing(self: Function, x: Tensor) -> None:
    self.out(torch.tanh(self.first(x.flatten(1))))


def not_finite(self: Function, x: Tensor) -> Tensor:
    return self.out(torch.tanh(self.first(x.flatten(1)))) / 0


def whole_numbers(self: Function, x: Tensor) -> Tensor:
    return self.out(torch.tanh(self.first(x.flatten(1)))).round().long()


def wrong_width(self: Function, x: Tensor) -> Tensor:
    return self.out(torch.tanh(self.first(x.flatten(1))))[:, :3]


def raises(self: Function, x: Tensor) -> Tensor:
    raise KeyError("window")


IN_BETWEEN = {
    function.__name__: function
    for function in (
        *(always_dropout, noise, changes_input, centred, branch_of_batch, counts_calls, as_tuple, as_dict, nothing),
        *(not_finite, whole_numbers, wrong_width, raises),
    )
}


def sequence_first() -> nn.Module:
    """Attention that takes the examples for positions, since batch_first was forgotten."""
    return Function(
        lambda self, x: self.out(self.attend(*3 * (tokens(x),), need_weights=False)[0].mean(1)),
        attend=nn.MultiheadAttention(4, 2),
        out=nn.Linear(4, N_CLASSES),
    )


def all_frozen() -> nn.Module:
    return head(nn.Linear(N_INPUTS, 8)).requires_grad_(False)


def without_parameters() -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.AdaptiveAvgPool1d(N_CLASSES))


def without_gradient() -> nn.Module:
    """Parameters that may be trained, of which none is reached by a gradient."""

    def run(self: Function, x: Tensor) -> Tensor:
        with torch.no_grad():
            return self.net(x)

    return Function(run, net=head(nn.Linear(N_INPUTS, 8)))


def batch_norm_without_statistics() -> nn.Module:
    return head(nn.Linear(N_INPUTS, 8), nn.BatchNorm1d(8, track_running_stats=False))


MODELS = {
    "always_dropout": entry(lambda: two_layers("always_dropout"), refused="random"),
    "noise": entry(lambda: two_layers("noise"), refused="random"),
    "changes_input": entry(lambda: two_layers("changes_input"), refused="changes its input"),
    "centred": entry(lambda: two_layers("centred"), refused="other examples"),
    "branch_of_batch": entry(lambda: two_layers("branch_of_batch"), refused="other examples"),
    "counts_calls": entry(lambda: two_layers("counts_calls"), refused="same"),
    "sequence_first": entry(sequence_first, refused="batch_first"),
    "batch_norm_without_statistics": entry(batch_norm_without_statistics, refused="BatchNorm1d"),
    "as_tuple": entry(lambda: two_layers("as_tuple"), refused="tuple"),
    "as_dict": entry(lambda: two_layers("as_dict"), refused="dict"),
    "nothing": entry(lambda: two_layers("nothing"), refused="None"),
    "not_finite": entry(lambda: two_layers("not_finite"), refused="finite"),
    "whole_numbers": entry(lambda: two_layers("whole_numbers"), refused="int64"),
    "wrong_width": entry(lambda: two_layers("wrong_width"), refused="[2, 3]"),
    "raises": entry(lambda: two_layers("raises"), refused="window"),
    "all_frozen": entry(all_frozen, refused="requires_grad"),
    "without_parameters": entry(without_parameters, refused="no parameter"),
    "without_gradient": entry(without_gradient, refused="gradient"),
}
