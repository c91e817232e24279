"""Linear layers and their subclasses, products with raw parameters, embeddings, activations."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations

from battery.entry import N_CLASSES, N_INPUTS, Function, entry, head


def drawn(*shape: int) -> nn.Parameter:
    """A parameter of that shape."""
    return nn.Parameter(torch.randn(*shape) / math.sqrt(shape[-1]))


class Transposed(nn.Module):
    """A linear layer whose weight is [in, out], as in GPT-2."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__()
        self.weight, self.bias = drawn(n_in, n_out), nn.Parameter(torch.zeros(n_out))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.weight + self.bias


class DoubledLinear(nn.Linear):
    """A subclass that computes something else than its base class."""

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, 2 * self.weight, self.bias) + x[:, : self.out_features]


class LowRank(nn.Module):
    """A frozen linear layer and a trained product of two thin matrices (LoRA)."""

    def __init__(self, n_in: int, n_out: int, rank: int = 2) -> None:
        super().__init__()
        self.base = nn.Linear(n_in, n_out).requires_grad_(False)
        self.down, self.up = drawn(rank, n_in), nn.Parameter(0.1 * torch.randn(n_out, rank))

    def forward(self, x: Tensor) -> Tensor:
        return self.base(x) + x @ self.down.T @ self.up.T


def codes(x: Tensor) -> Tensor:
    """Whole numbers 0..7 from inputs [n, 16]."""
    return (x.flatten(1).abs() * 2).long().clamp(0, 7)


def embedding_bag(mode: str) -> nn.Module:
    return Function(
        lambda self, x: self.out(self.bag(codes(x))),
        bag=nn.EmbeddingBag(8, 8, mode=mode),
        out=nn.Linear(8, N_CLASSES),
    )


def embedding(**options: object) -> nn.Module:
    return Function(
        lambda self, x: self.out(torch.tanh(self.embed(codes(x))).mean(1)),
        embed=nn.Embedding(8, 8, **options),  # type: ignore[arg-type]
        out=nn.Linear(8, N_CLASSES),
    )


def heads() -> nn.Module:
    """Heads of a raw parameter [heads, in, width], combined by einsum."""
    return Function(
        lambda self, x: self.out(torch.tanh(torch.einsum("bi,hiw->bhw", x.flatten(1), self.weight)).flatten(1)),
        weight=drawn(2, N_INPUTS, 4),
        out=nn.Linear(8, N_CLASSES),
    )


def positions() -> nn.Module:
    """A table of positions that is added to four tokens, and a scale that is one number."""
    return Function(
        lambda self, x: self.out(torch.tanh(x.flatten(1).view(-1, 4, 4) + self.table).flatten(1) * self.scale),
        table=drawn(4, 4),
        scale=nn.Parameter(torch.tensor(1.5)),
        out=nn.Linear(N_INPUTS, N_CLASSES),
    )


def bilinear() -> nn.Module:
    return Function(
        lambda self, x: self.out(torch.tanh(self.product(x.flatten(1)[:, :8], x.flatten(1)[:, 8:]))),
        product=nn.Bilinear(8, 8, 8),
        out=nn.Linear(8, N_CLASSES),
    )


MODELS = {
    "logistic": entry(lambda: nn.Sequential(nn.Flatten(), nn.Linear(N_INPUTS, N_CLASSES))),
    "linear": entry(lambda: head(nn.Linear(N_INPUTS, 8))),
    "linear_without_bias": entry(lambda: head(nn.Linear(N_INPUTS, 8, bias=False))),
    "linear_of_tokens": entry(lambda: head(nn.Unflatten(1, (4, 4)), nn.Linear(4, 2), nn.Flatten())),
    "linear_subclass": entry(lambda: head(DoubledLinear(N_INPUTS, 8))),
    "lazy_linear": entry(lambda: head(nn.LazyLinear(8))),
    "bilinear": entry(bilinear),
    "matmul": entry(lambda: head(Transposed(N_INPUTS, 8))),
    "einsum": entry(
        lambda: Function(
            lambda self, x: self.out(torch.tanh(torch.einsum("bi,oi->bo", x.flatten(1), self.weight))),
            weight=drawn(8, N_INPUTS),
            out=nn.Linear(8, N_CLASSES),
        )
    ),
    "einsum_of_heads": entry(heads),
    "positions": entry(positions),
    "embedding": entry(embedding),
    "embedding_with_padding": entry(lambda: embedding(padding_idx=0)),
    "embedding_bag_sum": entry(lambda: embedding_bag("sum")),
    "embedding_bag_mean": entry(lambda: embedding_bag("mean")),
    "embedding_bag_max": entry(lambda: embedding_bag("max")),
    "low_rank": entry(lambda: head(LowRank(N_INPUTS, 8))),
    "weight_norm": entry(lambda: head(parametrizations.weight_norm(nn.Linear(N_INPUTS, 8)))),
    "orthogonal": entry(lambda: head(parametrizations.orthogonal(nn.Linear(N_INPUTS, 8)))),
    "prelu": entry(lambda: nn.Sequential(nn.Flatten(), nn.Linear(N_INPUTS, 8), nn.PReLU(8), nn.Linear(8, N_CLASSES))),
    "relu_in_place": entry(
        lambda: nn.Sequential(
            nn.Flatten(),
            nn.Linear(N_INPUTS, 8),
            nn.ReLU(inplace=True),
            nn.Linear(8, 8),
            nn.ReLU(inplace=True),
            nn.Linear(8, N_CLASSES),
        )
    ),
    "gated": entry(lambda: nn.Sequential(nn.Flatten(), nn.Linear(N_INPUTS, 16), nn.GLU(), nn.Linear(8, N_CLASSES))),
    "softmax_inside": entry(lambda: head(nn.Linear(N_INPUTS, 8), nn.Softmax(dim=1))),
}
