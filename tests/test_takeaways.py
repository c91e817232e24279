"""The sentence above each figure, against t-tests, means and Holm's correction taken by hand."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from synthetic_curves import history, precision_recall
from synthetic_methods import METHODS
from synthetic_report import comparison_rows, removing, report_input
from test_headline import UNCERTAIN, accuracy, by_hand, compared, p_of

from heft.evaluation.statistics import Estimate, estimate
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.text import takeaways

PLAIN = [name for name in METHODS if name not in ("random", "oracle")]
FRACTIONS = [0.01, 0.025, 0.05, 0.1, 0.2, 0.3]


@cache
def rows() -> pd.DataFrame:
    return comparison_rows()


def comparison_of(table: pd.DataFrame | None = None) -> Comparison:
    return Comparison(report_input(comparison=rows() if table is None else table))


def column(table: pd.DataFrame, variant: str, name: str) -> np.ndarray:
    """A number that is the same at every fraction, by seed."""
    return table[table["variant"] == variant].groupby("seed")[name].first().to_numpy()


def changed(variants: list[str], fraction: float, differences: list[float], base: str = "none") -> pd.DataFrame:
    """The table in which variants differ from another by these numbers in each seed."""
    table = comparison_rows()
    start = accuracy(table, base, 0.0 if base == "none" else fraction)
    for variant in variants:
        mask = (table["variant"] == variant) & (table["fraction"] == fraction)
        table.loc[mask, "test_accuracy"] = start + np.array(differences)
    return table


def test_the_largest_clear_gain_of_a_plain_method_is_found_over_all_points() -> None:
    none = accuracy(rows(), "none", 0.0)
    points = {f"{name} {fraction}": accuracy(rows(), name, fraction) for name in PLAIN for fraction in FRACTIONS}
    corrected = by_hand({name: p_of(values, none) for name, values in points.items()})
    gains = {name: float((points[name] - none).mean()) for name, p in corrected.items() if p < 0.05}
    clear = {name: gain for name, gain in gains.items() if gain > 0}
    best = max(clear, key=lambda name: clear[name])
    low, high = stats.ttest_rel(points[best], none).confidence_interval(0.95)
    said = takeaways.of_plain_gain(comparison_of())
    assert best == "ip 0.3"
    assert (
        f"is that of ip at 30\u00a0%: {100 * clear[best]:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f});" in said
    )
    n_methods = len({name.split()[0] for name in clear})
    assert said.endswith(f"{n_methods} of {len(PLAIN)} methods have a clear gain at some fraction.")
    assert n_methods < len(PLAIN)


def test_a_gain_that_one_point_alone_would_show_is_not_clear_among_many() -> None:
    table = comparison_rows()
    for name in PLAIN:
        for fraction in FRACTIONS:
            mask = (table["variant"] == name) & (table["fraction"] == fraction)
            table.loc[mask, "test_accuracy"] = accuracy(table, "none", 0.0) + UNCERTAIN
    assert takeaways.of_plain_gain(comparison_of(table)).startswith("No plain method's gain over no removal")


def test_only_ensembles_are_named_that_beat_their_plain_method_at_the_noise_rate() -> None:
    table = comparison_rows()
    for name, base, differences in (
        ("ip__parameter_dropout__5", "ip", [0.01, 0.011, 0.01, 0.009, 0.01]),
        ("ip__parameter_dropout__10", "ip", [0.01, -0.011, 0.01, -0.009, 0.0]),
        ("ip__parameter_dropout__20", "ip", [0.01, -0.011, 0.01, -0.009, 0.0]),
        ("loss__seeds__5", "loss", [-0.01, -0.011, -0.01, -0.009, -0.01]),
    ):
        mask = (table["variant"] == name) & (table["fraction"] == 0.3)
        table.loc[mask, "test_accuracy"] = accuracy(table, base, 0.3) + np.array(differences)
    said = takeaways.of_ensemble_gain(comparison_of(table), "remove")
    assert said == "At 30\u00a0% removed, clearly better than the plain method: ip (parameter dropout ×5)."
    unclear = comparison_of(table[table["variant"] != "ip__parameter_dropout__5"])
    expected = "At 30\u00a0% removed, no ensemble is detectably better than its plain method."
    assert takeaways.of_ensemble_gain(unclear, "remove") == expected


@pytest.mark.parametrize("fraction", [0.05, 0.3])
def test_variants_above_and_below_random_are_counted_after_the_correction(fraction: float) -> None:
    table = changed(["loss", "margin"], fraction, [-0.1, -0.11, -0.1, -0.09, -0.1], base="random")
    random = accuracy(table, "random", fraction)
    differences = {name: accuracy(table, name, fraction) - random for name in compared(table)}
    corrected = by_hand({name: p_of(difference + random, random) for name, difference in differences.items()})
    clear = [float(differences[name].mean()) for name, p in corrected.items() if p < 0.05]
    above, below = sum(mean > 0 for mean in clear), sum(mean < 0 for mean in clear)
    assert below == 2
    assert takeaways.of_over_random(comparison_of(table), removing(fraction)) == (
        f"{above} of {len(differences)} variants beat random removal after Holm's correction; 2 are worse than random."
    )


def test_the_highest_mean_average_precision_is_named_beside_that_of_chance() -> None:
    comparison = comparison_of()
    plain = [variant for variant in comparison.compared if variant.plain]
    means = {name: column(rows(), name, "noise_ap").mean() for name in PLAIN}
    best = max(means, key=lambda name: means[name])
    said = takeaways.of_precision_recall(comparison, plain)
    assert said.endswith(f": {best}, {means[best]:.3f}; a random order gives 0.30.")


def test_only_the_largest_ensemble_of_a_kind_is_compared_in_auroc() -> None:
    table = comparison_rows()
    for variant, base, gain in (
        ("ip__parameter_dropout__20", "ip", 0.002), ("ip__parameter_dropout__5", "ip", 0.005),
        ("loss__seeds__5", "loss", -0.01), ("ip__seeds__5", "ip", 0.0), ("if_cg__parameter_dropout__10", "if_cg", 0.0),
    ):  # fmt: skip
        for seed in range(5):
            mask = (table["variant"] == variant) & (table["seed"] == seed)
            table.loc[mask, "noise_auroc"] = column(table, base, "noise_auroc")[seed] + gain + 1e-4 * (seed - 2)
    said = takeaways.of_ensemble_size(comparison_of(table), "remove")
    assert said == "AUROC is clearly above the plain method's for ip (parameter dropout ×20)."


def test_cost_is_told_of_the_best_and_of_the_cheapest() -> None:
    comparison = comparison_of()
    shown = [variant for variant in comparison.compared if variant.plain]
    costs = {variant.slug: 10.0 + 3 * k for k, variant in enumerate(shown)}
    said = takeaways.of_cost(
        shown, costs, "mean AUROC", lambda variant: comparison.per_variant(variant.slug, "noise_auroc")
    )
    best = max(PLAIN, key=lambda name: column(rows(), name, "noise_auroc").mean())
    cheapest = min(costs, key=lambda slug: costs[slug])
    title = {variant.slug: variant.label for variant in shown}
    assert said == (
        f"The highest mean AUROC, of {title[best]}, costs {costs[best]:.3g} forward passes; "
        f"the cheapest score, {title[cheapest]}, 10."
    )
    assert "mean gain" in takeaways.of_cost(
        shown, costs, "gain", lambda variant: comparison.gain(variant.slug, removing(0.3))
    )


def test_how_far_models_fit_is_told_of_their_last_epoch() -> None:
    table = history()
    last = table[table["epoch"] == 20]
    said = takeaways.of_training(table, 0.3)
    assert said == (
        f"After epoch 20 the models fit {100 * last['train_accuracy'].mean():.1f} % of their training labels, wrong "
        f"ones included, and {100 * last['validation_accuracy'].mean():.1f} % of the validation labels."
    )
    assert "wrong ones" not in takeaways.of_training(table, None)
    assert len(precision_recall()) > 0


def test_the_most_and_the_least_alike_are_methods_under_test() -> None:
    comparison = comparison_of()
    shown = [variant for variant in comparison.variants if variant.plain]
    names = [variant.slug for variant in shown]
    generator = np.random.default_rng(0)
    drawn = np.tril(generator.uniform(-0.5, 0.9, (len(names), len(names))), -1)
    matrix = pd.DataFrame(drawn + drawn.T + np.eye(len(names)), names, names)
    matrix.loc["random", "oracle"] = matrix.loc["oracle", "random"] = 0.99
    matrix.loc["ip", "aum"] = matrix.loc["aum", "ip"] = 0.95
    matrix.loc["el2n", "margin"] = matrix.loc["margin", "el2n"] = -0.75
    said = takeaways.of_agreement(shown, matrix, 5)
    assert {"aum", "ip"} == set(said.removeprefix("Most alike are ").partition(" (0.95)")[0].split(" and "))
    assert {"el2n", "margin"} == set(said.partition("least ")[2].partition(" (−0.75)")[0].split(" and "))
    assert said.endswith("means over 5 seeds.")


def test_classes_that_a_removal_helps_and_harms_are_told_after_the_correction_over_classes() -> None:
    def change(mean: float, spread: float) -> Estimate:
        return estimate(pd.Series(mean + spread * np.array([-1.0, 0.5, 0.0, 1.0, -0.5])))

    changes = [("a", change(-0.2, 0.01)), ("b", change(-0.03, 0.03)), ("c", change(0.02, 0.025)),
               ("d", change(0.3, 0.01))]  # fmt: skip
    assert takeaways.of_classes("ip", changes) == (
        "ip, Holm-corrected over 4 classes: clearly better for d; clearly worse for a."
    )
    unclear = takeaways.of_classes("ip", changes[1:3])
    assert unclear == "ip: for no class is the change clear of zero after Holm's correction over the classes."
