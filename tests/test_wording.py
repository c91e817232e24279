"""Numbers and names as the report writes them."""

from math import inf, nan
from types import SimpleNamespace

import pandas as pd
import pytest
from synthetic_report import comparison_rows, report_input

from heft.evaluation.statistics import estimate
from heft.reporting import wording
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.text.sentences import what_seeds_vary

NARROW = estimate(pd.Series([0.98, 0.99, 1.0, 0.99, 1.0]))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (wording.percent(0.79649), "79.6"),
        (wording.percent(0.79649, 2), "79.65"),
        (wording.percent(nan), "–"),
        (wording.share(0.025), "2.5\u00a0%"),
        (wording.share(1 / 3), "33.33\u00a0%"),
        (wording.share(1.0), "100\u00a0%"),
        (wording.share(inf), "–"),
        (wording.points(0.0853), "+8.5"),
        (wording.points(-0.0853), "−8.5"),
        (wording.points(0.0004), "0.0"),
        (wording.points(-0.0004), "0.0"),
        (wording.points(-0.0006), "−0.1"),
        (wording.points(nan), "–"),
        (wording.points_interval(NARROW), f"+{100 * NARROW.low:.1f} to +{100 * NARROW.high:.1f}"),
        (wording.points_interval(estimate(pd.Series([1.0]))), ""),
        (wording.decimal(0.12345), "0.123"),
        (wording.decimal(nan), "–"),
        (wording.signed(-0.119), "−0.12"),
        (wording.signed(0.83), "0.83"),
        (wording.signed(nan), "–"),
        (wording.decimal_interval(NARROW), f"{NARROW.low:.3f} to 1.000"),  # an AUROC is at most 1
        (wording.decimal_interval(estimate(pd.Series([0.5]))), ""),
        (wording.p_text(0.0004), "p < 0.001"),
        (wording.p_text(0.001), "p = 0.001"),
        (wording.p_text(0.0123), "p = 0.012"),
        (wording.p_text(0.994), "p = 0.99"),
        (wording.p_text(0.996), "p = 1"),
        (wording.p_text(nan), "–"),
        (wording.amount(1468.2), "1,468"),
        (wording.amount(100.4), "100"),
        (wording.amount(99.96), "100"),
        (wording.amount(4.321), "4.32"),
        (wording.amount(0.01234), "0.0123"),
        (wording.amount(nan), "–"),
        (wording.seeds(1), "1 seed"),
        (wording.seeds(2), "2 seeds"),
        (wording.seeds(0), "0 seeds"),
        (wording.listed([]), "none"),
        (wording.listed(["a"]), "a"),
        (wording.listed(["a", "b"]), "a and b"),
        (wording.listed(["a", "b", "c"]), "a, b and c"),
        (wording.qualified("IP", ""), "IP"),
        (wording.qualified("IP", "seeds ×5"), "IP (seeds ×5)"),
        (wording.qualified("Influence (CG)", "seeds ×5"), "Influence (CG; seeds ×5)"),
        (wording.printable("a\tb\n"), "a b "),
        (wording.printable("x" * 32), "x" * 32),
        (wording.printable("x" * 33), "x" * 31 + "…"),
        (wording.method_title("ip", {"ip": SimpleNamespace(fields={"title": "Inner product"})}), "Inner product"),
        (wording.method_title("ip", {"ip": SimpleNamespace(fields={})}), "ip"),
        (wording.method_title("ip", {}), "ip"),
        (wording.in_sentence("Test accuracy"), "test accuracy"),
        (wording.in_sentence("AUROC of groups"), "AUROC of groups"),
    ],
)
def test_a_number_or_a_name_is_written_so(written: str, expected: str) -> None:
    assert written == expected


@pytest.mark.parametrize(
    ("value", "empty"), [(None, True), ("", True), (nan, True), (0, False), (0.0, False), ("0", False)]
)
def test_a_cell_is_empty_without_a_value_and_not_where_it_is_zero(value: object, empty: bool) -> None:
    assert wording.is_empty(value) is empty


INIT = "the initialisation with the batch order"


@pytest.mark.parametrize(
    ("resample", "said"),
    [
        (["split", "noise", "init"], f"the split, the planted noise and {INIT}."),
        (["noise"], f"the planted noise. The same for all: the split and {INIT}."),
        ([], f"none. The same for all: the split, the planted noise and {INIT}."),
    ],
)
def test_what_a_seed_draws_anew_and_what_it_leaves_is_said(resample: list[str], said: str) -> None:
    comparison = Comparison(report_input(comparison=comparison_rows(n_seeds=2)))
    assert what_seeds_vary(comparison, resample) == f"2 seeds; each draws anew {said}"
