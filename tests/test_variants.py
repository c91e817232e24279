"""Slugs are readable and name one thing each."""

import math

import pytest

from heft.variants import Scorer, Variant, fraction_slug
from heft.workflow.tracking.records import run_key


def test_slugs_spell_method_options_ensemble_and_size() -> None:
    assert Variant(Scorer("ip")).slug == "ip"
    assert Variant(Scorer("ip", {}, "parameter_dropout"), 10).slug == "ip__parameter_dropout__10"
    assert Variant(Scorer("if_cg", {"damping": 0.1}, "seeds"), 5).slug == "if_cg-damping_0.1__seeds__5"
    assert Scorer("ip", {}, "parameter_dropout", {"p_max": 0.5}).slug == "ip__parameter_dropout-p_max_0.5"


def test_options_stand_in_the_order_of_their_names() -> None:
    assert Scorer("x", {"b": 1, "a": [1, 2]}).slug == Scorer("x", {"a": [1, 2], "b": 1}).slug == "x-a_1x2-b_1"


@pytest.mark.parametrize(("fraction", "slug"), [(0.1, "0.1"), (0.025, "0.025"), (1.0, "1"), (1e-05, "1e-05"), (0, "0")])
def test_a_fraction_is_written_as_a_person_writes_it(fraction: float, slug: str) -> None:
    assert fraction_slug(fraction) == slug


def test_fractions_that_differ_in_their_last_digit_have_slugs_and_keys_of_their_own() -> None:
    fractions = [0.1, 0.12345678, 0.12345679, 1 / 3, math.nextafter(1 / 3, 1), 0.1 + 0.2, 0.3]
    assert [float(fraction_slug(fraction)) for fraction in fractions] == fractions
    keys = {run_key("e", 0, "evaluate", "ip", "remove", fraction) for fraction in fractions}
    assert len(keys) == len(fractions)


def test_options_that_differ_in_their_last_digit_are_two_scorers() -> None:
    slugs = {Scorer("if_cg", {"damping": damping}).slug for damping in (0.1, 0.10000001)}
    assert slugs == {"if_cg-damping_0.1", "if_cg-damping_0.10000001"}
