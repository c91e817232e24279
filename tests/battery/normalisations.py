"""Normalisations in their variants, dropout, and modules that keep buffers."""

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from battery.entry import N_CLASSES, N_INPUTS, Entry, Function, entry, head


def wide(norm: str, *arguments: object, **options: object) -> Entry:
    """A normalisation of 8 features after a linear layer."""
    return entry(lambda: head(nn.Linear(N_INPUTS, 8), getattr(nn, norm)(*arguments, **options)))


def pictures(norm: str, *arguments: object, **options: object) -> Entry:
    """A normalisation of 4 channels after a convolution."""
    return entry(
        lambda: nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1),
            getattr(nn, norm)(*arguments, **options),
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(4 * N_INPUTS, N_CLASSES),
        )
    )


def series(norm: nn.Module) -> nn.Module:
    """A normalisation of 4 channels of series, before a convolution."""
    return nn.Sequential(
        nn.Flatten(),
        nn.Unflatten(1, (4, 4)),
        norm,
        nn.Conv1d(4, 3, 3),
        nn.SiLU(),
        nn.Flatten(),
        nn.Linear(6, N_CLASSES),
    )


class Scaled(nn.Module):
    """Centres and scales by buffers, of which one is not in the state dictionary."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("centre", torch.full((N_INPUTS,), 0.5))
        self.register_buffer("spread", torch.full((N_INPUTS,), 2.0), persistent=False)
        self.layer = nn.Linear(N_INPUTS, N_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer((x.flatten(1) - self.centre) / self.spread)


class FunctionalDropout(nn.Module):
    """Dropout by torch.nn.functional, on in training alone."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.out = nn.Linear(N_INPUTS, 8), nn.Linear(8, N_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        return self.out(functional.dropout(torch.tanh(self.first(x.flatten(1))), 0.3, self.training))


def layer_norm_of_function() -> nn.Module:
    """torch.nn.functional.layer_norm with raw parameters."""
    return Function(
        lambda self, x: self.out(
            torch.tanh(functional.layer_norm(self.first(x.flatten(1)), (8,), self.gain, self.shift))
        ),
        first=nn.Linear(N_INPUTS, 8),
        gain=nn.Parameter(torch.linspace(0.5, 1.5, 8)),
        shift=nn.Parameter(torch.zeros(8)),
        out=nn.Linear(8, N_CLASSES),
    )


MODELS = {
    "batch_norm_1d": wide("BatchNorm1d", 8),
    "batch_norm_without_affine": wide("BatchNorm1d", 8, affine=False, momentum=None),
    "batch_norm_2d": pictures("BatchNorm2d", 4),
    "batch_norm_of_series": entry(lambda: series(nn.BatchNorm1d(4))),
    "layer_norm": wide("LayerNorm", 8),
    "layer_norm_without_affine": wide("LayerNorm", 8, elementwise_affine=False),
    "layer_norm_without_bias": wide("LayerNorm", 8, bias=False),
    "layer_norm_of_pictures": pictures("LayerNorm", (4, 4, 4)),
    "layer_norm_of_function": entry(layer_norm_of_function),
    "rms_norm": wide("RMSNorm", 8),
    "group_norm": pictures("GroupNorm", 2, 4),
    "group_norm_without_affine": pictures("GroupNorm", 2, 4, affine=False),
    "instance_norm_1d": entry(lambda: series(nn.InstanceNorm1d(4, affine=True))),
    "instance_norm_2d": pictures("InstanceNorm2d", 4, affine=True),
    "instance_norm_without_affine": pictures("InstanceNorm2d", 4),
    "instance_norm_with_statistics": pictures("InstanceNorm2d", 4, affine=True, track_running_stats=True),
    "local_response_norm": pictures("LocalResponseNorm", 2),
    "spectral_norm": entry(lambda: head(parametrizations.spectral_norm(nn.Linear(N_INPUTS, 8)))),
    "dropout": entry(lambda: head(nn.Linear(N_INPUTS, 8), nn.Dropout(0.3)), draws=True),
    "dropout_2d": entry(
        lambda: nn.Sequential(nn.Conv2d(1, 4, 3), nn.Dropout2d(0.3), nn.SiLU(), nn.Flatten(), nn.Linear(16, N_CLASSES)),
        draws=True,
    ),
    "functional_dropout": entry(FunctionalDropout, draws=True),
    "buffers": entry(Scaled),
}
