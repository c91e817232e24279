"""What heft.score and heft.suspects say of an argument that is no number, or one of another kind."""

from typing import Any

import numpy as np
import pytest
import torch
from attribution_cases import Case, make_case
from torch import nn

import heft

CASE: Case = make_case("mlp")
N = len(CASE.train.labels)
VALIDATION = tuple(CASE.validation)


@pytest.mark.parametrize(
    ("method", "passed", "sentence"),
    [
        ("random", {"seed": "a"}, 'seed is "a"; it must be a whole number of at most 63 bits.'),
        ("random", {"seed": 1.0}, "seed is 1.0; it must be a whole number of at most 63 bits."),
        ("random", {"seed": 2**63}, f"seed is {2**63}; it must be a whole number of at most 63 bits."),
        ("ip", {"weight_decay": "a"}, 'weight_decay is "a"; it must be a number.'),
        ("ip", {"weight_decay": -0.1}, "weight_decay is -0.1; it must be at least 0."),
        ("ip", {"ensemble": "gaussian", "members": 1.5}, "members is 1.5; it must be a whole number."),
        ("ip", {"ensemble": "gaussian", "members": "two"}, 'members is "two"; it must be a whole number.'),
        (
            "tracin",
            {"checkpoints": [(CASE.state, "fast")]},
            'checkpoints[0]: the learning rate is "fast"; expected a number.',
        ),
        (
            "tracin",
            {"checkpoints": [(CASE.state, None)]},
            "checkpoints[0]: the learning rate is null; expected a number.",
        ),
        (
            "tracin",
            {"checkpoints": [(CASE.state, torch.ones(2))]},
            'checkpoints[0]: the learning rate is "tensor([1., 1.])"; expected a number.',
        ),
        ("oracle", {"true_labels": ["a"] * N}, "true_labels is a list; expected a tensor or an array of numbers."),
        ("oracle", {"true_labels": torch.zeros(N) == 0}, f"true_labels are bool [{N}]; expected whole numbers [{N}]."),
        (
            "confident_learning",
            {"folds": [(CASE.state, "all")]},
            "folds[0]: what the model was trained without is a str; expected a tensor or an array of numbers.",
        ),
        (
            "aum",
            {"dynamics": torch.zeros(3, N, 4, dtype=torch.int64)},
            "dynamics are of type int64; expected a floating type, such as float32.",
        ),
        ("ip", {"train": {"x": 1}}, "train is a dict; expected a tuple (inputs, labels), a Dataset or a DataLoader."),
    ],
)
def test_an_argument_of_another_kind_is_named(method: str, passed: dict[str, Any], sentence: str) -> None:
    given = {"train": tuple(CASE.train), "validation": VALIDATION, **passed}
    with pytest.raises(heft.HeftError) as error:
        heft.score(method, CASE.model, **given)
    assert str(error.value) == sentence


def test_numbers_of_numpy_are_numbers() -> None:
    train = tuple(CASE.train)
    plain = heft.score("if_cg", CASE.model, train, VALIDATION, seed=3, weight_decay=0.5)
    of_numpy = heft.score("if_cg", CASE.model, train, VALIDATION, seed=np.int64(3), weight_decay=np.float64(0.5))
    assert torch.equal(of_numpy, plain)


def test_suspects_take_scores_with_a_graph_and_words_and_refuse_a_table() -> None:
    scores = nn.Parameter(torch.tensor([0.5, -1.0, 3.0]))
    assert heft.suspects(scores, count=1) == [(1, -1.0, None, None)]
    with pytest.raises(
        heft.HeftError, match=r"^scores have shape \[3, 2\]; expected \[n\], one score for each example\.$"
    ):
        heft.suspects(torch.zeros(3, 2))
    assert heft.suspects(scores, ["cat", "dog", "cat"], count=1) == [(1, -1.0, "dog", None)]
    with pytest.raises(heft.HeftError, match=r'^labels: row 1 holds "cat", row 0 1; expected all of a kind\.$'):
        heft.suspects(scores, [1, "cat", 2])
