"""A method refuses an option beyond its bound in a sentence that names option and value, and takes the bound itself."""

import math
from functools import cache

import pytest
import torch
from attribution_cases import Case, make_case

from heft.errors import HeftError
from heft.registry import declarations

REFUSED: list[tuple[str, str, float]] = [
    *((name, "damping", value) for name in ("datainf", "if_cg", "if_ekfac", "if_kfac", "if_lissa", "self_if")
      for value in (0.0, -0.1, math.nan)),
    *((name, "damping", value) for name in ("if_exact", "trak") for value in (-0.1, math.nan)),
    *((name, "tolerance", value) for name in ("if_cg", "if_lissa") for value in (0.0, 1.0, math.nan)),
    ("if_arnoldi", "rank", 0), ("if_arnoldi", "rank", 10**6), ("random_projection", "dimension", 0),
    ("trak", "models", 0), ("trak", "dimension", -1),
    ("gex", "models", 1), ("gex", "batch_size", 0), ("gex", "epochs", 0.0), ("gex", "step_size", 0.0),
    ("gex", "step_size", math.nan),
]  # fmt: skip
TAKEN: list[tuple[str, dict[str, float]]] = [
    ("if_exact", {"damping": 0.0}),
    ("trak", {"models": 1, "damping": 0.0, "dimension": 2}),
    ("gex", {"models": 2, "batch_size": 1, "epochs": 0.1}),
    ("random_projection", {"dimension": 1}),
    ("if_arnoldi", {"rank": 4, "iterations": 4}),
]


@cache
def case() -> Case:
    return make_case("no_bias")


@pytest.mark.parametrize(("name", "option", "value"), REFUSED)
def test_an_option_beyond_its_bound_is_refused(name: str, option: str, value: float) -> None:
    with pytest.raises(HeftError, match=rf"{option}(?: is)? {value}\b.*must be"):
        declarations("methods")[name].load()(case().context(), **{option: value})


@pytest.mark.parametrize(("name", "options"), TAKEN)
def test_the_bound_itself_is_taken(name: str, options: dict[str, float]) -> None:
    context = case().context(weight_decay=0.1)
    assert torch.isfinite(declarations("methods")[name].load()(context, **options)).all()
