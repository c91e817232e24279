"""New files of a modality, a source, an encoder and a model of it, whose names are known nowhere else."""

MODALITY = '''"""waves: a few channels over time."""

from heft.data.modalities.declare import Modality, Shown, modality


@modality(axes=["channels", "times"], smallest=[1, 3])
class Waves(Modality):
    """rate: times a second."""

    def __init__(self, *, rate: float = 1.0) -> None:
        self.rate = rate

    def facts(self, input_shape):
        return {"rate": self.rate}

    def picture_scale(self, n_channels):
        return [0.0] * n_channels, [1.0] * n_channels

    def show(self, inputs, rows):
        return [Shown(values=[("duration", f"{inputs.shape[2] / self.rate:g} s")]) for _ in rows]
'''

SOURCE = '''"""tones: waves of two frequencies, which are drawn and read from no file."""

from typing import Annotated

import numpy as np
from annotated_types import Gt

from heft.data.modalities.waves import Waves
from heft.data.sources.declare import RawData, source


@source(origin="Drawn by its own file", licence="none needed", sha256={})
def tones(data_dir, *, spread: Annotated[float, Gt(0)] = 0.5) -> RawData:
    generator = np.random.default_rng(0)
    fast = np.arange(200) % 2
    times = np.linspace(0, 6, 12)
    waves = np.stack([np.sin(times * (1 + fast)[:, None]), np.cos(times * (1 + fast)[:, None])], axis=1)
    drawn = waves + spread * generator.standard_normal(waves.shape)
    return RawData(drawn.astype(np.float32), np.where(fast, "fast", "slow"), modality=Waves(rate=4.0))
'''

ENCODER = '''"""spectrum: how much of each frequency is in a wave."""

import torch

from heft.data.encoders.declare import Encoder, encoder


@encoder(modality="waves", origin="Fourier, in its own file", licence="none needed")
def spectrum(*, lowest: int = 0) -> Encoder:
    return Spectrum(lowest)


class Spectrum(Encoder):
    files = {}

    def __init__(self, lowest):
        self.lowest, self.width = lowest, 2 * (7 - lowest)

    def encode(self, batch):
        return torch.fft.rfft(batch).abs()[:, :, self.lowest :].flatten(1)
'''

MODEL = '''"""wave_net: a convolution over time, and a linear layer."""

from torch import nn

from heft.models.declare import model


@model(modality="waves")
def wave_net(input_shape, n_classes, *, width: int = 4) -> nn.Module:
    n_channels, n_times = input_shape
    convolution = nn.Conv1d(n_channels, width, kernel_size=3)
    return nn.Sequential(convolution, nn.GELU(), nn.Flatten(), nn.Linear(width * (n_times - 2), n_classes))
'''
