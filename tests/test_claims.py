"""docs/claims.md says of each claim what the paired numbers allow, and no more."""

import importlib.util
import sys
from types import ModuleType

import pandas as pd
import pytest
from workspace import ROOT

SEEDS = range(5)
WORDS = {"test_accuracy": "test accuracy", "noise_auroc": "AUROC", "score_cpu_seconds": "CPU time"}


@pytest.fixture(scope="module")
def claims() -> ModuleType:
    spec = importlib.util.spec_from_file_location("claims", ROOT / "docs/claims.py")
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules["claims"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def table(**accuracy: list[float]) -> pd.DataFrame:
    """Rows of variants at two fractions; the accuracy given is that at the larger one."""
    rows = [
        {"variant": variant, "seed": seed, "fraction": fraction, "n_removed": round(100 * fraction),
         "test_accuracy": values[seed] if fraction == 0.3 else 0.0, "score_cpu_seconds": 10 * values[seed]}
        for variant, values in accuracy.items() for seed in SEEDS for fraction in (0.1, 0.3)
    ]  # fmt: skip
    return pd.DataFrame(rows)


BASE = [0.70, 0.72, 0.68, 0.71, 0.69]
BETTER = [value + 0.1 + noise for value, noise in zip(BASE, (0.001, -0.001, 0.002, 0, -0.002), strict=True)]
SLIGHTLY = [value + 0.01 + noise for value, noise in zip(BASE, (0.006, -0.006, 0.006, 0, -0.006), strict=True)]
LIKE = [value + noise for value, noise in zip(BASE, (0.05, -0.05, 0.04, -0.04, 0.001), strict=True)]


def lines_of(claims: ModuleType, tables: dict[str, pd.DataFrame], **claim: object) -> list[list[str]]:
    """The cells of each line of a section that holds one claim."""
    declared = {"claim": "x", "column": "test_accuracy", "variant": "a", **claim}
    lines, _ = claims.tested(tables, {"s": {"runs": list(tables), "claims": [declared]}}, WORDS)
    assert lines[:2] == ["## s", ""]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[4:-1]]


@pytest.mark.parametrize(
    ("first", "second", "at_least", "verdict"),
    [
        (BETTER, BASE, False, "holds"),
        (BASE, BETTER, False, "does not hold"),
        (LIKE, BASE, False, "no detectable difference"),
        (LIKE, BASE, True, "not contradicted: no detectable difference"),
        (BASE, BETTER, True, "does not hold"),
        (SLIGHTLY, BASE, False, "above zero, but not after correction"),
        (SLIGHTLY, BASE, True, "not contradicted: no detectable difference"),
        (BASE, SLIGHTLY, True, "below zero, but not after correction"),
    ],
)
def test_the_verdict_follows_from_the_numbers(
    claims: ModuleType, first: list[float], second: list[float], at_least: bool, verdict: str
) -> None:
    # Nine more runs that say nothing: a p-value of 0.02 alone is then none.
    others = {f"e{k}": table(a=LIKE, b=BASE) for k in range(9)}
    (*_, said), *_ = lines_of(claims, {"d": table(a=first, b=second)} | others, less="b", at_least=at_least)
    assert said == verdict


def test_a_difference_of_accuracies_is_in_points_at_the_largest_fraction(claims: ModuleType) -> None:
    ((_, what, name, number, interval, _, _),) = lines_of(claims, {"d": table(a=BETTER, b=BASE)}, less="b")
    assert (what, name, number) == ("test accuracy, `a` less `b`", "d", "+10.0 points")
    assert interval == "+9.8 to +10.2"


def test_a_ratio_is_told_as_times(claims: ModuleType) -> None:
    tables = {"d": table(a=[2 * value for value in BASE], b=BASE)}
    ((_, what, _, number, *_),) = lines_of(claims, tables, over="b", column="score_cpu_seconds")
    assert (what, number) == ("CPU time, `a` over `b`", "2 times")


def test_each_run_has_a_line_and_says_where_a_claim_was_not_run(claims: ModuleType) -> None:
    tables = {"d": table(a=BETTER, b=BASE), "e": table(b=BASE), "f": table(a=BASE, b=BETTER)}
    assert [(line[2], line[3], line[-1]) for line in lines_of(claims, tables, less="b")] == [
        ("d", "+10.0 points", "holds"),
        ("e", "not run", ""),
        ("f", "−10.0 points", "does not hold"),
    ]


def test_p_values_are_corrected_over_all_runs_and_claims(claims: ModuleType) -> None:
    compared = {"column": "test_accuracy", "variant": "a", "less": "b"}
    tables = {"d": table(a=LIKE, b=BASE), "e": table(a=BETTER, b=BASE)}
    sections = {
        "s": {"runs": ["d", "e"], "claims": [{"claim": "x", **compared}]},
        "t": {"runs": ["e"], "claims": [{"claim": "y", **compared}]},
    }
    lines, n_tested = claims.tested(tables, sections, WORDS)
    assert n_tested == 3
    assert [line.split("|")[3].strip() for line in lines if line.startswith(("| x", "|  |", "| y"))] == ["d", "e", "e"]


def test_a_claim_that_no_run_measured_stops_with_its_words(claims: ModuleType) -> None:
    with pytest.raises(SystemExit, match=r"docs/claims\.yaml: no table has both variants of .*'?nobody"):
        lines_of(claims, {"d": table(a=BASE)}, less="nobody")
