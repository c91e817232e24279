"""Labelled examples in every form that a caller has them in: one order, one batch, or a sentence."""

from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset, TensorDataset, WeightedRandomSampler

from heft.arguments.examples import check_labels, labelled_examples
from heft.errors import HeftError

X = torch.arange(42.0).reshape(7, 2, 3)
Y = torch.tensor([0, 1, 2, 0, 1, 2, 0])
DATA = TensorDataset(X, Y)


class Stream(IterableDataset[tuple[Tensor, Tensor]]):
    def __iter__(self) -> Any:
        return iter(zip(X, Y, strict=True))


@pytest.mark.parametrize(
    "given",
    [
        (X, Y),
        (X.numpy(), Y.numpy()),
        (X, Y.to(torch.int32)),
        (X.tolist(), Y.tolist()),
        DATA,
        [(x, int(y)) for x, y in DATA],
        DataLoader(DATA, batch_size=3),
        DataLoader(DATA, batch_size=None),
        DataLoader(Stream(), batch_size=2),
    ],
    ids=["tensors", "arrays", "int32", "lists", "dataset", "pairs", "loader", "no batches", "stream"],
)
def test_each_form_gives_the_examples_in_their_order(given: Any) -> None:
    inputs, labels = labelled_examples(given, "train")
    assert torch.equal(inputs.to(X.dtype), X)
    assert torch.equal(labels, Y)
    assert labels.dtype == torch.int64


def test_groups_are_a_third_tensor() -> None:
    assert labelled_examples((X, Y), "validation").groups is None
    assert torch.equal(labelled_examples((X, Y, Y + 1), "validation").groups, Y + 1)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (DataLoader(DATA, shuffle=True), "whose order is that of a RandomSampler; .* pass one with shuffle=False"),
        (DataLoader(DATA, sampler=WeightedRandomSampler([1.0] * 7, 7)), "that of a WeightedRandomSampler"),
        (DataLoader(DATA, batch_sampler=[[0, 1], [2]]), "that of a list"),
        (DataLoader(DATA, batch_size=3, drop_last=True), "gives 6 of 7 examples; pass one with drop_last=False"),
        (DataLoader(TensorDataset(X), batch_size=3), r"batch 0 is 1 things; expected pairs \(inputs, labels\)"),
        (X, r"example 0 is a Tensor; expected pairs \(inputs, labels\)"),
        ([{"x": 1}], r"example 0 is a dict; expected pairs"),
        (3, "train is a int; expected a tuple"),
        ([], "train holds no example"),
        ((X[:0], Y[:0]), "train holds no example"),
        (DataLoader(TensorDataset(X[:0], Y[:0])), "train holds no example"),
        ((X, Y[:3]), r"inputs have shape \[7, 2, 3\] and labels \[3\]; expected \[n, ...\] and \[n\]"),
        ((X, torch.eye(7)), r"labels \[7, 7\]"),
        ((X, Y.float()), "labels are of type float32; expected whole numbers"),
        ((X, Y == 0), "labels are of type bool"),
        ((X, ["a"] * 7), "the label of the tuple is a list; expected a tensor or an array of numbers"),
        ((X, Y, Y, Y), r"the tuple is 4 things; expected pairs \(inputs, labels\)"),
        ((torch.where(X == 20, torch.nan, X), Y), "the input of row 3 holds a number that is not finite"),
        ((X.to("meta"), Y), "the input of the tuple: a tensor on the device meta holds no numbers"),
        ((X, Y.to("meta")), "the label of the tuple: a tensor on the device meta"),
        ((X, Y, Y.to("meta")), "the groups of the tuple: a tensor on the device meta"),
        ([(X[0], 0), (X[1].to("meta"), 0)], "the input of example 1: a tensor on the device meta"),
        (DataLoader(TensorDataset(X, Y.to("meta")), batch_size=3), "the label of batch 0: a tensor on the device meta"),
        ((X, Y, Y[:2]), r"groups have shape \[2\]; expected \[7\]"),
        ([(X[0], 0), (X[0, :1], 1)], r"one example has shape \[1, 3\], the first \[2, 3\]"),
        ([(object(), 0)], "the input of example 0 is a object; expected a tensor or an array of numbers"),
    ],
)
def test_what_has_no_order_or_does_not_fit_is_refused(given: Any, sentence: str) -> None:
    with pytest.raises(HeftError, match=sentence):
        labelled_examples(given, "train")


def test_a_label_that_the_model_has_no_logit_for_is_named() -> None:
    check_labels(Y, 3, "train")
    with pytest.raises(
        HeftError, match="train: row 2 has the label 2; the model's 2 logits stand for the labels 0 to 1"
    ):
        check_labels(Y, 2, "train")
