"""Tables for the tests of what the first screen says."""

import pandas as pd
from synthetic_report import report_input

from heft.reporting.analysis.comparison import Comparison
from heft.reporting.text.verdict import Verdict, judge


def judged(rows: pd.DataFrame) -> Verdict:
    return judge(Comparison(report_input(comparison=rows)))


def pick(rows: pd.DataFrame, variant: str, fraction: float) -> pd.DataFrame:
    """Lets validation pick that variant and fraction."""
    rows.loc[(rows["variant"] == variant) & (rows["fraction"] == fraction), "val_loss"] = 0.01
    rows.loc[rows["variant"] == variant, "chosen"] = rows["fraction"] == fraction
    return rows
