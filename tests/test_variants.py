"""Slugs are readable and name one thing each."""

from heft.variants import Scorer, Variant, fraction_slug


def test_slugs_spell_method_options_ensemble_and_size() -> None:
    assert Variant(Scorer("ip")).slug == "ip"
    assert Variant(Scorer("ip", {}, "parameter_dropout"), 10).slug == "ip__parameter_dropout__10"
    assert Variant(Scorer("if_cg", {"damping": 0.1}, "seeds"), 5).slug == "if_cg-damping_0.1__seeds__5"
    assert Scorer("ip", {}, "parameter_dropout", {"p_max": 0.5}).slug == "ip__parameter_dropout-p_max_0.5"


def test_options_stand_in_the_order_of_their_names() -> None:
    assert Scorer("x", {"b": 1, "a": [1, 2]}).slug == Scorer("x", {"a": [1, 2], "b": 1}).slug == "x-a_1x2-b_1"


def test_a_fraction_is_written_without_noise() -> None:
    assert fraction_slug(0.1 + 0.2) == "0.3"
    assert fraction_slug(0.025) == "0.025"
