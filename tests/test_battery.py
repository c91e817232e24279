"""The battery itself: which families of layers it has, and that its modules are what they say."""

import battery
import pytest
import torch
from torch import nn

FAMILIES = (
    *(nn.Linear, nn.Bilinear, nn.Embedding, nn.EmbeddingBag, nn.Conv1d, nn.Conv2d, nn.Conv3d),
    *(nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d, nn.BatchNorm1d, nn.BatchNorm2d),
    *(nn.InstanceNorm1d, nn.InstanceNorm2d, nn.GroupNorm, nn.LayerNorm, nn.RMSNorm, nn.LocalResponseNorm),
    *(nn.MultiheadAttention, nn.TransformerEncoderLayer, nn.RNN, nn.GRU, nn.LSTM, nn.GRUCell, nn.PReLU),
)


def test_the_battery_has_each_family_of_layers_and_more_than_fifty_that_work() -> None:
    types = {type(module) for name in battery.WORKING for module in battery.build(name).modules()}
    assert [family.__name__ for family in FAMILIES if family not in types] == []
    assert len(battery.WORKING) > 50


@pytest.mark.parametrize("name", battery.WORKING)
def test_a_module_that_is_to_work_gives_logits_of_each_example_by_itself(name: str) -> None:
    model, inputs = battery.build(name), battery.examples(5, dtype=torch.float32)[0]
    with torch.no_grad():
        logits = model(inputs)
        assert logits.shape == (5, battery.N_CLASSES)
        torch.testing.assert_close(model(inputs[:1]), logits[:1], rtol=2e-2, atol=1e-4)
