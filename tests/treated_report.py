"""The made-up experiment under further actions, and judged by further measures."""

from typing import Any

import pandas as pd
from synthetic_report import REMOVE, comparison_rows, long_metrics, report_input

from heft.reporting.inputs import ReportInput
from heft.reporting.measure import Measure
from heft.reporting.treatment import Action

RELABEL = Action(
    "Relabel", "relabel", "relabelling", "relabelled", "relabelling",
    "Gives each of the lowest-scored examples the class that further models predict.", ("label",),
)  # fmt: skip
REWEIGHT = Action(
    "Down-weight", "down-weight", "down-weighting", "down-weighted", "down-weighting",
    "Multiplies the loss of each of the lowest-scored examples by a fixed weight.", ("weight",),
)  # fmt: skip
ACTIONS = {"remove": REMOVE, "relabel": RELABEL, "reweight": REWEIGHT}
BALANCED = Measure(
    "balanced_accuracy",
    "balanced accuracy",
    chosen_by="macro_loss",
    objective="macro loss",
    does="Mean over classes of the class's accuracy.",
)
GAP = Measure(
    "worst_gap", "test gap", higher_is_better=False, does="Largest difference of accuracy between two classes."
)
TEST_LOSS = Measure("test_loss", "test loss", unit="nats", higher_is_better=False)
# Action -> what a gain under removal is multiplied by; relabelling is the best, down-weighting the least.
STRENGTHS = {"remove": 1.0, "relabel": 1.3, "reweight": 0.5}


def treated_rows(actions: tuple[str, ...] = tuple(ACTIONS), n_seeds: int = 5) -> pd.DataFrame:
    """The comparison table with a row for each action; one row of all is chosen for each variant and seed."""
    removed = comparison_rows(n_seeds)
    none = removed[removed["method"] == "none"].set_index("seed")["test_accuracy"]
    untreated, treated = removed[removed["action"] == ""], removed[removed["action"] != ""]
    blocks = []
    for place, action in enumerate(actions):
        base = treated["seed"].map(none)
        wobble = 0.001 * (((treated["seed"] + place) * 7) % 5 - 2)
        accuracy = base + STRENGTHS[action] * (treated["test_accuracy"] - base) + wobble * place
        blocks.append(treated.assign(action=action, test_accuracy=accuracy, val_loss=1.5 - accuracy))
    rows = pd.concat(blocks, ignore_index=True)
    eligible = rows.groupby(["variant", "seed"])["chosen"].transform(lambda marks: (marks == True).any())  # noqa: E712
    lowest = rows.groupby(["variant", "seed"])["val_loss"].transform("min")
    rows["chosen"] = (rows["val_loss"] == lowest).where(eligible, "")
    return pd.concat([untreated, rows], ignore_index=True)


def with_metric(rows: pd.DataFrame, **metrics: pd.Series) -> pd.DataFrame:
    """The long form of these rows, with further metrics; one value a row."""
    key = ["experiment", "seed", "variant", "action", "fraction"]
    frames = [rows[key].assign(metric=name, value=values.to_numpy()) for name, values in metrics.items()]
    return pd.concat([long_metrics(rows), *frames], ignore_index=True)


def balanced_report(**changes: Any) -> ReportInput:
    """Judged by balanced accuracy, 5 points below accuracy, which its own objective chooses."""
    rows = comparison_rows()
    balanced = rows["test_accuracy"] - 0.05
    long = with_metric(rows, balanced_accuracy=balanced, validation_macro_loss=2 - 2 * balanced)
    return report_input(**{"comparison": rows, "long_metrics": long, "measure": BALANCED} | changes)


def gap_report(**changes: Any) -> ReportInput:
    """Judged by a gap, of which less is better: a half of what accuracy lacks."""
    rows = comparison_rows()
    long = with_metric(rows, worst_gap=(1 - rows["test_accuracy"]) / 2)
    return report_input(**{"comparison": rows, "long_metrics": long, "measure": GAP} | changes)


def treated_report(**changes: Any) -> ReportInput:
    """Under three actions."""
    return report_input(**{"comparison": treated_rows(), "actions": ACTIONS} | changes)
