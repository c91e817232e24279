"""What figures name and draw where many variants are compared."""

import json
import re
import warnings
from html import unescape
from typing import Any

import pandas as pd
import pytest
from synthetic_methods import methods
from synthetic_report import report_input

from heft.reporting.analysis.comparison import Comparison
from heft.reporting.analysis.variant import named_variant
from heft.reporting.figures.cost import MOST_NAMES, draw_cost
from heft.reporting.figures.drawing import new_figure, style
from heft.reporting.figures.ensembles import draw_ensemble_size
from heft.reporting.figures.gain import draw_ensemble_gain
from heft.reporting.figures.labels import label_points
from heft.reporting.text.verdict import judge


def many_ensembles(n_kinds: int) -> Comparison:
    """The made-up experiment with the ensemble of IP over 5 repeated under other options, all a little worse."""
    rows = report_input().comparison
    repeated = []
    for k in range(n_kinds):
        copy = rows[rows["variant"] == "ip__parameter_dropout__5"].copy()
        copy["variant"] = f"ip__parameter_dropout-p_max_0.{k + 1:02d}__5"
        copy["options"] = f'{{"p_max": 0.{k + 1:02d}}}'
        copy[["noise_auroc", "test_accuracy"]] -= 0.01
        repeated.append(copy)
    return Comparison(report_input(comparison=pd.concat([rows, *repeated], ignore_index=True)))


def texts(svg: str) -> list[str]:
    return [unescape(re.sub(r"<[^>]*>", "", text)) for text in re.findall(r"<text[^>]*>(.*?)</text>", svg, re.DOTALL)]


@pytest.mark.parametrize(
    ("method", "ensemble", "options", "title", "kind"),
    [
        ("if_cg", "", {"tolerance": 1e-5, "damping": 0.1}, "if_cg (damping 0.1, tolerance 1e-05)", ""),
        ("trak", "", {"models": 10}, "trak (models 10)", ""),
        ("trak", "", {"parameters": "head.0 - last"}, "trak (parameters head.0 - last)", ""),
        ("ip", "parameter_dropout", {}, "ip", "parameter dropout"),
        ("ip", "parameter_dropout", {"rescale": True, "p_max": 0.1}, "ip", "parameter dropout, p max 0.1, rescale"),
        ("ip", "parameter_dropout", {"rescale": False}, "ip", "parameter dropout, no rescale"),
        ("if_cg", "seeds", {"damping": 0.5, "shift": 2}, "Influence (CG; damping 0.5)", "seeds, shift 2"),
    ],
)
def test_options_are_named_from_their_column_and_switches_stand_alone(
    method: str, ensemble: str, options: dict[str, Any], title: str, kind: str
) -> None:
    row = {"method": method, "variant": "whatever-it_is__called", "ensemble": ensemble, "members": 5}
    declared = methods() if ensemble else {}
    for column in (options, json.dumps(options)):
        variant = named_variant(row | {"options": column}, declared)
        assert (variant.title, variant.kind) == (title, kind)


def test_sizes_of_one_ensemble_share_a_scorer_and_know_the_method_alone_whatever_their_slugs_say() -> None:
    row = {"method": "if_cg", "ensemble": "seeds", "options": '{"damping": 0.5, "shift": 2}'}
    five, ten = (named_variant(row | {"variant": f"s{size}", "members": size}, methods()) for size in (5, 10))
    alone = named_variant(
        {"method": "if_cg", "variant": "x", "ensemble": "", "members": 1, "options": {"damping": 0.5}}, methods()
    )
    assert five.scorer == ten.scorer != alone.scorer
    assert five.base == alone.base == "if_cg-damping_0.5"


def test_ensembles_are_drawn_as_differences_to_the_same_method_with_one_model() -> None:
    comparison = Comparison(report_input())
    with style():
        picture = draw_ensemble_size(comparison, judge(comparison))
    assert picture is not None
    said = texts(picture.svg)
    paired = comparison.paired("ip__seeds__5", "ip", "noise_auroc").mean
    assert f"{paired:+.4f}".replace("-", "\N{MINUS SIGN}") in said
    assert "ip (parameter dropout)  ×5" in said
    assert {"×10", "×20"} <= set(said), "further sizes stand below the first without the name"


@pytest.mark.slow
def test_of_forty_sizes_a_few_are_drawn_and_named_without_a_warning() -> None:
    rows = report_input().comparison
    template = rows[rows["variant"] == "ip__parameter_dropout__5"]
    sizes = range(21, 58)
    repeated = [template.assign(variant=f"ip__parameter_dropout__{size}", members=size) for size in sizes]
    comparison = Comparison(report_input(comparison=pd.concat([rows, *repeated], ignore_index=True)))
    with style(), warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = draw_ensemble_gain(comparison, "remove")
        all_of_them = draw_ensemble_size(comparison, judge(comparison))
    assert picture is not None
    assert all_of_them is not None
    said = [text for text in texts(picture.svg) if re.fullmatch("×[0-9]+", text)]
    of_panel = said[said.index("×57") - 4 : said.index("×57") + 1]
    assert of_panel == ["×5", "×28", "×38", "×47", "×57"], said
    assert "5 are drawn, evenly spread" in picture.description
    assert {"×21", "×40", "×57"} <= set(texts(all_of_them.svg))
    with style():
        usual = draw_ensemble_gain(Comparison(report_input()), "remove")
    assert usual is not None
    assert "evenly spread" not in usual.description


def test_without_ensembles_there_is_no_such_figure() -> None:
    rows = report_input().comparison
    comparison = Comparison(report_input(comparison=rows[rows["members"] == 1]))
    assert draw_ensemble_size(comparison, judge(comparison)) is None


def test_where_no_place_is_free_names_do_not_stand_on_each_other() -> None:
    figure = new_figure(5, 4)
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1])
    label_points(figure, axes, [(0.9, 0.5, f"a rather long name {k}", "#000000") for k in range(24)])
    places = {(round(text.xyann[0], 3), round(text.xyann[1], 3)) for text in axes.texts}  # type: ignore[attr-defined]
    assert len(places) == 24
    assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in places)


@pytest.mark.slow
@pytest.mark.parametrize("n_kinds", [0, 30])
def test_of_many_points_only_the_outstanding_are_named(n_kinds: int) -> None:
    comparison = many_ensembles(n_kinds)
    with style():
        picture = draw_cost(comparison, judge(comparison))
    assert picture is not None
    said = texts(picture.svg)
    names = {variant.short for variant in comparison.compared} & set(said)
    best = max(comparison.compared, key=lambda variant: comparison.per_variant(variant.slug, "noise_auroc").mean)
    assert best.short in names
    if n_kinds == 0:
        assert len(comparison.compared) <= MOST_NAMES
        assert names == {variant.short for variant in comparison.compared}
    else:
        plain = {variant.short for variant in comparison.compared if variant.plain}
        assert "ip" in names
        assert len(names - plain) <= 2, "of ensembles the best of each panel at most"
        assert "no cheaper one equals" in picture.description
