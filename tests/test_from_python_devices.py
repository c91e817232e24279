"""heft.score on the device of the model: what lies elsewhere comes there; what has no numbers is refused."""

from typing import Any

import pytest
import torch
from attribution_cases import N_TRAIN
from test_from_python_refusals import CASE, HALF, STATE, X, Y, refused
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

import heft
from heft.arguments.examples import labelled_examples


def _elsewhere(tensors: Any) -> Any:
    """The same on another device."""
    if isinstance(tensors, dict):
        return {name: tensor.to("meta") for name, tensor in tensors.items()}
    return tensors.to("meta")


LOGITS = torch.zeros(3, N_TRAIN, 4)
UNSEEN = (STATE, _elsewhere(HALF))


@pytest.mark.parametrize(
    ("method", "passed", "where"),
    [
        ("ip", {"model": nn.Sequential(nn.Flatten(), nn.Linear(16, 4, device="meta"))}, "model: 1.weight"),
        ("ip", {"train": (_elsewhere(X), Y)}, "train: the input of the tuple"),
        ("ip", {"validation": (X, _elsewhere(Y))}, "validation: the label of the tuple"),
        ("ip", {"validation": (X, Y, _elsewhere(Y))}, "validation: the groups of the tuple"),
        ("oracle", {"true_labels": _elsewhere(Y)}, "true_labels"),
        ("tracin", {"checkpoints": [STATE, _elsewhere(STATE)]}, r"checkpoints\[1\]: 1.weight"),
        ("tracin", {"checkpoints": [(STATE, torch.ones((), device="meta"))]}, r"checkpoints\[0\]\[1\]"),
        ("aum", {"dynamics": _elsewhere(LOGITS)}, "dynamics"),
        ("aum", {"dynamics": LOGITS, "checkpoints": [_elsewhere(STATE)]}, r"checkpoints\[0\]: 1.weight"),
        ("confident_learning", {"folds": [UNSEEN, UNSEEN]}, r"folds\[0\]\[1\]"),
        ("trusted_loss", {"fine_tuned": _elsewhere(STATE)}, "fine_tuned: 1.weight"),
    ],
)
def test_what_has_no_numbers_is_refused_before_the_model_is_called(
    method: str, passed: dict[str, Any], where: str
) -> None:
    calls: list[nn.Module] = []
    with CASE.model.register_forward_pre_hook(lambda module, _: calls.append(module)):
        refused(method, f"^{where}: a tensor on the device meta holds no numbers.$", **passed)
    assert not calls


def test_another_default_device_is_refused() -> None:
    with torch.device("meta"):
        refused("ip", "torch's default device is meta; Heft draws on the cpu .* so call torch.set_default_device")


def test_a_model_on_two_devices_is_refused() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 4), nn.Linear(4, 4, device="meta"))
    refused("ip", "^model: 2.weight is on meta and 1.weight on cpu; all must be on one device.$", model=model)


def test_examples_come_to_the_device_of_the_model_from_tensors_data_sets_and_loaders() -> None:
    data = TensorDataset(X, Y)
    for given in ((X, Y, Y), data, DataLoader(data, batch_size=7)):
        moved = labelled_examples(given, "train", torch.device("meta"))
        assert moved.inputs.device == moved.labels.device == torch.device("meta")
        assert (moved.inputs.shape, moved.labels.shape) == (X.shape, Y.shape)


@pytest.mark.parametrize(("scores", "labels", "where"), [("meta", "cpu", "scores"), ("cpu", "meta", "labels")])
def test_suspects_without_numbers_are_refused(scores: str, labels: str, where: str) -> None:
    with pytest.raises(heft.HeftError, match=f"^{where}: a tensor on the device meta"):
        heft.suspects(torch.zeros(3, device=scores), torch.zeros(3, device=labels))
