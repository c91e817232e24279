"""Attention, transformer blocks and recurrent layers on four tokens of four numbers."""

import torch
from torch import Tensor, nn
from torch.nn import functional

from battery.entry import N_CLASSES, Entry, Function, entry, tokens


def attention(**options: object) -> nn.Module:
    return Function(
        lambda self, x: self.out(self.attend(*3 * (self.norm(tokens(x)),), need_weights=False)[0].mean(1)),
        norm=nn.LayerNorm(4),
        attend=nn.MultiheadAttention(4, 2, batch_first=True, **options),  # type: ignore[arg-type]
        out=nn.Linear(4, N_CLASSES),
    )


def encoder(**options: object) -> nn.Module:
    layer = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, **options)  # type: ignore[arg-type]
    return Function(lambda self, x: self.out(self.block(tokens(x)).mean(1)), block=layer, out=nn.Linear(4, N_CLASSES))


class Causal(nn.Module):
    """Scaled dot-product attention by torch.nn.functional, each token on those before it."""

    def __init__(self) -> None:
        super().__init__()
        self.three, self.out = nn.Linear(4, 12), nn.Linear(4, N_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = self.three(tokens(x)).chunk(3, dim=-1)
        return self.out(functional.scaled_dot_product_attention(query, key, value, is_causal=True)[:, -1])


def recurrent(kind: str, **options: object) -> Entry:
    def build() -> nn.Module:
        width = 10 if options.get("bidirectional") else 5
        layer = getattr(nn, kind)(4, 5, batch_first=True, **options)
        return Function(
            lambda self, x: self.out(self.layer(tokens(x))[0][:, -1]), layer=layer, out=nn.Linear(width, N_CLASSES)
        )

    return entry(build)


def cell() -> nn.Module:
    """One cell that runs four times."""

    def run(self: Function, x: Tensor) -> Tensor:
        state = x.new_zeros(len(x), 5)
        for token in tokens(x).unbind(1):
            state = self.cell(token, state)
        return self.out(state)

    return Function(run, cell=nn.GRUCell(4, 5), out=nn.Linear(5, N_CLASSES))


def class_token() -> nn.Module:
    """A learnt token before the others, and learnt positions."""
    return Function(
        lambda self, x: self.out(
            self.block(torch.cat([self.token.expand(len(x), 1, 4), tokens(x)], dim=1) + self.position)[:, 0]
        ),
        token=nn.Parameter(torch.randn(1, 1, 4)),
        position=nn.Parameter(0.1 * torch.randn(5, 4)),
        block=nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True, norm_first=True),
        out=nn.Linear(4, N_CLASSES),
    )


MODELS = {
    "attention": entry(attention),
    "attention_with_dropout": entry(lambda: attention(dropout=0.2), draws=True),
    "attention_without_bias": entry(lambda: attention(bias=False)),
    "attention_by_function": entry(Causal),
    "encoder_layer": entry(lambda: encoder(dropout=0.0)),
    "encoder_layer_norm_first": entry(lambda: encoder(dropout=0.0, norm_first=True, activation="gelu")),
    "encoder_layer_with_dropout": entry(encoder, draws=True),
    "class_token": entry(class_token),
    "rnn": recurrent("RNN"),
    "gru": recurrent("GRU"),
    "lstm": recurrent("LSTM"),
    "lstm_of_two_layers": recurrent("LSTM", num_layers=2, bidirectional=True),
    "cell": entry(cell),
}
