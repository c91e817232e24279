"""Writes docs/claims.md from docs/claims.yaml and the example report's table: `make docs`. With --check, says whether
it is current.
"""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "workflow_scripts"))

from heft.statistics import Estimate, estimate, holm  # noqa: E402

TABLE, CLAIMS, PAGE = (ROOT / "docs" / file for file in ("example_report/comparison.csv", "claims.yaml", "claims.md"))
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

    def measure(self, rows: pd.DataFrame) -> Estimate:
        """The difference, or the ratio less one, paired by seed."""
        first, second = (at_noise_rate(rows, one)[self.column] for one in (self.variant, self.over or self.less))
        return estimate(first / second - 1 if self.over else first - second)

    def number(self, measured: Estimate) -> tuple[str, str]:
        """The mean and the interval in words."""
        if self.over:
            return f"{measured.mean + 1:.2g} times", f"{measured.low + 1:.2g} to {measured.high + 1:.2g}"
        scale, digits, unit = (100, 1, " points") if self.column == ACCURACY else (1, 4, "")
        mean, low, high = (
            f"{scale * value:+.{digits}f}".replace("-", "−") for value in (measured.mean, measured.low, measured.high)
        )
        return mean + unit, f"{low} to {high}"

    def verdict(self, measured: Estimate, p_value: float) -> str:
        """What the interval and the corrected p-value allow to say."""
        if p_value < SIGNIFICANT and measured.has_interval:
            return "holds" if measured.mean > 0 else "does not hold"
        return "not contradicted: no detectable difference" if self.at_least else "no detectable difference"


def at_noise_rate(rows: pd.DataFrame, variant: str) -> pd.DataFrame:
    """The rows of a variant by seed, at the largest fraction, the noise rate; of what removes nothing, its one row."""
    found = rows[rows["variant"] == variant]
    if found.empty:
        sys.exit(f"docs/claims.yaml: variant {variant} has no row in docs/example_report/comparison.csv")
    return found[found["fraction"] == found["fraction"].max()].set_index("seed")


def tested(rows: pd.DataFrame, sections: dict[str, list[dict[str, Any]]], words: dict[str, str]) -> list[str]:
    """A table for each section; p-values are corrected over all of them."""
    claims = {section: [Claim(**one) for one in listed] for section, listed in sections.items()}
    measured = {one: one.measure(rows) for listed in claims.values() for one in listed}
    corrected = dict(zip(measured, holm(one.p_value for one in measured.values()), strict=True))
    lines = []
    for section, listed in claims.items():
        lines += [f"## {section}", "", "| claim | measured | number | 95 % interval | Holm p | verdict |"]
        lines.append("|---|---|---|---|---|---|")
        for one in listed:
            what = f"{words[one.column]}, `{one.variant}` {'over' if one.over else 'less'} `{one.over or one.less}`"
            p_words = "< 0.001" if corrected[one] < 0.001 else f"{corrected[one]:.3f}"
            verdict = one.verdict(measured[one], corrected[one])
            lines.append(f"| {' | '.join([one.claim, what, *one.number(measured[one]), p_words, verdict])} |")
        lines.append("")
    return lines


def page() -> str:
    """The page as Markdown."""
    rows, told = pd.read_csv(TABLE), yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))
    largest = rows[rows["fraction"] == rows["fraction"].max()].iloc[0]
    about = told["about"].format(
        n_train=f"{round(largest['n_removed'] / largest['fraction']):,}",
        n_seeds=rows["seed"].nunique(),
        n_tested=sum(map(len, told["tested"].values())),
        fraction=f"{100 * largest['fraction']:.0f} %",
    )
    lines = ["# Claims", "", about, *tested(rows, told["tested"], told["words"])]
    lines += ["## Not measured yet", "", "| claim or question | by | what it takes |", "|---|---|---|"]
    lines += [f"| {one['claim']} | {one['by']} | {one['needs']} |" for one in told["open"]]
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
