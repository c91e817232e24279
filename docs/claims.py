"""Writes docs/claims.md from docs/claims.yaml and the tables of the example reports: `make docs`. With --check, says
whether it is current.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "workflow_scripts"), str(ROOT / "docs")]

from prose import bullet, paragraphs, table_line  # noqa: E402

from heft.evaluation.statistics import Estimate, estimate, holm  # noqa: E402
from heft.reporting.wording import MINUS  # noqa: E402

DOCS = ROOT / "docs"
CLAIMS, PAGE = DOCS / "claims.yaml", DOCS / "claims.md"
SIGNIFICANT = 0.05
ACCURACY = "test_accuracy"


@dataclass(frozen=True)
class Claim:
    """That `column` of `variant` less that of `less` is above zero, or over that of `over` above one.

    at_least: no more is claimed than that it is not below.
    """

    claim: str
    column: str
    variant: str
    less: str = ""
    over: str = ""
    at_least: bool = False

    @property
    def other(self) -> str:
        """What it is compared with."""
        return self.over or self.less

    def measure(self, rows: pd.DataFrame) -> Estimate:
        """The difference, or the logarithm of the ratio, paired by seed."""
        first, second = (at_noise_rate(rows, variant)[self.column] for variant in (self.variant, self.other))
        return estimate(np.log(first / second) if self.over else first - second)

    def number(self, measured: Estimate) -> tuple[str, str]:
        """The mean and the interval in words."""
        if self.over:
            mean, low, high = (f"{np.exp(value):.2g}" for value in (measured.mean, measured.low, measured.high))
            return f"{mean} times", f"{low} to {high}"
        scale, digits, unit = (100, 1, " points") if self.column == ACCURACY else (1, 4, "")
        # A rounded zero keeps its sign here: it says on which side of zero an end of the interval lies.
        mean, low, high = (
            f"{scale * value:+.{digits}f}".replace("-", MINUS) for value in (measured.mean, measured.low, measured.high)
        )
        return mean + unit, f"{low} to {high}"

    def verdict(self, measured: Estimate, p_value: float) -> str:
        """What the interval and the corrected p-value allow to say."""
        if p_value < SIGNIFICANT and measured.has_interval:
            return "holds" if measured.mean > 0 else "does not hold"
        if measured.below_zero or (measured.above_zero and not self.at_least):
            return f"{'below' if measured.below_zero else 'above'} zero, but not after correction"
        return "not contradicted: no detectable difference" if self.at_least else "no detectable difference"

    def measured_in(self, rows: pd.DataFrame) -> bool:
        """Whether a table has both variants."""
        return {self.variant, self.other} <= set(rows["variant"])


def at_noise_rate(rows: pd.DataFrame, variant: str) -> pd.DataFrame:
    """The rows of a variant by seed, at the largest fraction, the noise rate; of what removes nothing, its one row."""
    own = rows[rows["variant"] == variant]
    return own[own["fraction"] == own["fraction"].max()].set_index("seed")


def tested(
    tables: dict[str, pd.DataFrame], sections: dict[str, dict[str, Any]], words: dict[str, str]
) -> tuple[list[str], int]:
    """A table for each section, with a line for each claim and run of the section, and the number of tests; p-values
    are corrected over all of them.
    """
    claims = {section: [Claim(**fields) for fields in told["claims"]] for section, told in sections.items()}
    runs = {section: told["runs"] for section, told in sections.items()}
    measured = {
        (claim, name): claim.measure(tables[name])
        for section, listed in claims.items()
        for claim in listed
        for name in runs[section]
        if claim.measured_in(tables[name])
    }
    decided = {claim for claim, _ in measured}
    if undecided := [claim for listed in claims.values() for claim in listed if claim not in decided]:
        sys.exit(f"docs/claims.yaml: no table has both variants of {undecided[0]}")
    corrected = dict(zip(measured, holm(difference.p_value for difference in measured.values()), strict=True))
    lines = []
    for section, listed in claims.items():
        lines += [f"## {section}", "", "| claim | measured | data | number | 95 % interval | Holm p | verdict |"]
        lines.append("|---|---|---|---|---|---|---|")
        for claim in listed:
            what = f"{words[claim.column]}, `{claim.variant}` {'over' if claim.over else 'less'} `{claim.other}`"
            for position, name in enumerate(runs[section]):
                cells = [*([claim.claim, what] if position == 0 else ["", ""]), name]
                if (difference := measured.get((claim, name))) is None:
                    cells += ["not run", "", "", ""]
                else:
                    p_value = corrected[claim, name]
                    p_words = "< 0.001" if p_value < 0.001 else f"{p_value:.3f}"
                    cells += [*claim.number(difference), p_words, claim.verdict(difference, p_value)]
                lines.append(table_line(*cells))
        lines.append("")
    return lines, len(measured)


def described(rows: pd.DataFrame, words: str) -> str:
    """What a run was, in words."""
    largest = rows[rows["fraction"] == rows["fraction"].max()].iloc[0]
    return words.format(
        n_train=f"{round(largest['n_removed'] / largest['fraction']):,}",
        n_seeds=rows["seed"].nunique(),
        fraction=f"{100 * largest['fraction']:.0f} %",
    )


def page() -> str:
    """The page as Markdown."""
    told = yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))
    runs = told["runs"]
    tables = {name: pd.read_csv(DOCS / run["report"] / "comparison.csv") for name, run in runs.items()}
    verdicts, n_tested = tested(tables, told["tested"], told["words"])
    lines = ["# Claims", "", paragraphs(told["about"].format(n_tested=n_tested)), ""]
    for name, run in runs.items():
        of_run = described(tables[name], run["words"])
        lines.append(bullet(f"**{name}** ([report]({run['report']}/index.html)): {of_run}"))
    lines += ["", *verdicts]
    lines += ["## Not measured yet", "", "| claim or question | by | what it takes |", "|---|---|---|"]
    lines += [table_line(entry["claim"], entry["by"], entry["needs"]) for entry in told["open"]]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Rewrites docs/claims.md, or with --check exits with a sentence where it is not current."""
    current = page()
    if "--check" in sys.argv:
        there = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
        sys.exit(current != there and "docs/claims.md is not current; run `make docs`")
    PAGE.write_text(current, encoding="utf-8")


if __name__ == "__main__":
    main()
