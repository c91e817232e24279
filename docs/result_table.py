"""Writes the README's table of results from the tables of an example report: `make docs`. With --check, says whether
it is current.
"""

import sys
from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT / "workflow_scripts"), str(ROOT / "docs")]

from prose import replaced, table_line  # noqa: E402

from heft.evaluation.statistics import Estimate, estimate, paired_difference  # noqa: E402
from heft.reporting.wording import percent, points, points_interval  # noqa: E402

BEGIN, END = "<!-- results: made by `make docs` -->", "<!-- end of results -->"
REPORT = ROOT / "docs" / "example_report" / "mnist5k"
SHOWN = {
    "none": "nothing",
    "random": "at random",
    "loss": "high training loss",
    "confident_learning": "confident learning",
    "tracin": "TracIn",
    "if_cg": "influence function (CG)",
    "ip": "inner product (IP)",
    "ip__parameter_dropout__5": "IP, mean of 5 dropout members",
    "ip__seeds__5": "IP, mean of 5 trainings",
    "oracle": "by the true labels",
    "finetuned": "nothing; fine-tuned on validation labels",
}


def chosen_rows(rows: pd.DataFrame, variant: str) -> pd.DataFrame:
    """The row of a variant for each seed (the index) whose validation loss is the lowest of that seed.

    A baseline that was trained on validation labels has no such loss, and one row.
    """
    own = rows[rows["variant"] == variant].sort_values("val_loss", kind="stable")
    return own.groupby("seed", as_index=False).first().set_index("seed")


def recall_of(metrics: pd.DataFrame, variant: str) -> Estimate:
    """The share of the wrong labels among as many lowest scores."""
    own = metrics[(metrics["variant"] == variant) & (metrics["metric"] == "noise_recall_inspected")]
    return estimate(own.groupby("seed")["value"].first())


def table() -> str:
    """The table as Markdown: one line for each variant of `SHOWN`."""
    rows = pd.read_csv(REPORT / "comparison.csv", keep_default_na=False, na_values=[""])
    rows["variant"], metrics = rows["variant"].fillna("none"), pd.read_csv(REPORT / "metrics.csv")
    nothing = chosen_rows(rows, "none")["test_accuracy"]
    lines = [
        "| what is removed | test accuracy, % | gain in points | 95 % interval | wrong labels found, % |",
        "|---|---|---|---|---|",
    ]
    for variant, words in SHOWN.items():
        accuracy, recall = chosen_rows(rows, variant)["test_accuracy"], recall_of(metrics, variant)
        gain = paired_difference(accuracy, nothing)
        cells = [words, percent(float(accuracy.mean()))]
        cells += ["", ""] if variant == "none" else [points(gain.mean), points_interval(gain)]
        cells.append(percent(recall.mean, 0) if recall.n else "")
        lines.append(table_line(*cells))
    return "\n".join(lines)


def main() -> None:
    """Rewrites the table, or with --check exits with a sentence where it is not current."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    current = replaced(text, BEGIN, END, table())
    if "--check" not in sys.argv:
        readme.write_text(current, encoding="utf-8")
    elif current != text:
        sys.exit("The table of results in README.md is not current; run `make docs`")


if __name__ == "__main__":
    main()
