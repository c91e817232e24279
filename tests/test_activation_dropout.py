"""Activation dropout masks features and channels, never examples, whatever the layer and however it is called."""

from collections.abc import Callable

import battery
import pytest
import torch
from perturbed import perturbation
from torch import Tensor, nn

from heft.errors import HeftError


class Called(nn.Module):
    """A first layer that leaves everything as it is, then one that is called by `call`."""

    def __init__(self, layer: nn.Module, call: Callable[[nn.Module, Tensor], Tensor]) -> None:
        super().__init__()
        self.first, self.layer, self.call = nn.Linear(1, 1), layer, call

    def forward(self, x: Tensor) -> Tensor:
        return self.call(self.layer, x)


# layer, shape of one example, axis of the channels in a batch, call
LAYERS = {
    "linear": (lambda: nn.Linear(3, 5), (3,), -1, lambda layer, x: layer(x)),
    "linear by keyword": (lambda: nn.Linear(3, 5), (3,), -1, lambda layer, x: layer(input=x)),
    "linear of tokens": (lambda: nn.Linear(3, 5), (4, 3), -1, lambda layer, x: layer(x)),
    "conv1d": (lambda: nn.Conv1d(3, 5, 3), (3, 7), 1, lambda layer, x: layer(x)),
    "conv2d": (lambda: nn.Conv2d(3, 5, 3), (3, 4, 4), 1, lambda layer, x: layer(x)),
    "conv3d": (lambda: nn.Conv3d(3, 5, 2), (3, 3, 3, 3), 1, lambda layer, x: layer(x)),
    "conv transpose": (lambda: nn.ConvTranspose1d(3, 5, 3), (3, 7), 1, lambda layer, x: layer(x)),
    "conv1d unbatched": (
        lambda: nn.Conv1d(3, 5, 3), (3, 7), 1, lambda layer, x: torch.stack([layer(example) for example in x]),
    ),
    "attention": (
        lambda: nn.MultiheadAttention(4, 2, batch_first=True), (3, 4), -1,
        lambda layer, x: layer(x, key=x, value=x, need_weights=False)[0],
    ),
    "gru": (lambda: nn.GRU(3, 5, batch_first=True), (4, 3), -1, lambda layer, x: layer(x)[0]),
    "cell": (lambda: nn.LSTMCell(3, 5), (3,), -1, lambda layer, x: layer(x)[0]),
    "bilinear": (lambda: nn.Bilinear(3, 3, 5), (3,), -1, lambda layer, x: layer(x, input2=torch.ones_like(x))),
}  # fmt: skip


@pytest.mark.parametrize("name", LAYERS)
def test_what_a_mask_drops_has_no_effect_and_what_it_keeps_is_scaled(name: str) -> None:
    build, shape, axis, call = LAYERS[name]
    torch.manual_seed(0)
    model = Called(build(), call).eval()
    masked, _ = perturbation("activation_dropout", model, 0, 1, {"rate": 0.5})
    (hook,) = masked.layer._forward_pre_hooks.values()
    mask = next(iter(hook._masks.values())).flatten()
    assert set(mask.tolist()) <= {0.0, 2.0}
    x = torch.randn(len(mask), *shape)  # as many examples as channels, so that a wrong axis would go unnoticed
    along = [1] * x.dim()
    along[axis] = len(mask)
    if name not in ("attention", "bilinear"):  # whose other inputs have masks of their own
        torch.testing.assert_close(masked(x), model(x * mask.view(along)))
    changed = x + 10 * (mask == 0).view(along)
    if name != "attention":
        torch.testing.assert_close(masked(changed), masked(x))
    torch.testing.assert_close(masked(x[:1]), masked(x)[:1])


# Modules whose only layer takes the inputs, beside parameters of no layer.
WITHOUT_HIDDEN_LAYER = (
    *("logistic", "matmul", "einsum", "einsum_of_heads", "positions", "embedding", "embedding_with_padding"),
    *("embedding_bag_sum", "embedding_bag_mean", "embedding_bag_max", "buffers", "raw_parameters"),
)


@pytest.mark.parametrize("name", WITHOUT_HIDDEN_LAYER)
def test_a_module_without_a_hidden_layer_is_refused(name: str) -> None:
    with pytest.raises(HeftError, match="no hidden layer"):
        perturbation("activation_dropout", battery.build(name), 0, 1, {"rate": 0.5})


# The second layer of `unused` is never called, so that a member of it is the model itself.
WITH_HIDDEN_LAYER = [name for name in battery.WORKING if name not in (*WITHOUT_HIDDEN_LAYER, "unused")]


@pytest.mark.parametrize("name", WITH_HIDDEN_LAYER)
def test_a_member_of_any_other_module_treats_each_example_by_itself(name: str) -> None:
    model, inputs = battery.build(name), battery.examples(4, dtype=torch.float32)[0]
    with torch.no_grad():
        plain = model(inputs)
        masked, _ = perturbation("activation_dropout", model, 0, 1, {"rate": 0.5})
        assert not torch.allclose(masked(inputs), plain)
        torch.testing.assert_close(masked(inputs)[:1], masked(inputs[:1]), rtol=2e-2, atol=1e-4)
        torch.testing.assert_close(model(inputs), plain)
