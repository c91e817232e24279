"""An action that takes no fractions acts on all training examples, and sentences say so."""

import numpy as np
import pandas as pd
import pytest
from treated_report import RELABEL, treated_report, treated_rows

from heft.curation.chosen import ChosenAction
from heft.curation.notes import notes_on
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.tables.comparison_table import comparison_table
from heft.reporting.text.takeaways import of_ensemble_gain
from heft.reporting.text.verdict import judge

ALL = "relabelling all training examples by"


def compared(plus: float) -> Comparison:
    """One action, with fraction 1 alone; plus: what every method but `random` gains besides."""
    rows = treated_rows(("relabel",))
    rows = rows[(rows["action"] == "") | (rows["fraction"] == 0.3)]
    whole = rows["action"] != ""
    rows.loc[whole, "fraction"] = 1.0
    rows.loc[whole & (rows["method"] != "random"), "test_accuracy"] += plus
    return Comparison(treated_report(comparison=rows, actions={"relabel": RELABEL}))


@pytest.mark.parametrize("plus", [0.3, -0.3])
def test_the_first_screen_speaks_of_all_training_examples(plus: float) -> None:
    verdict = judge(compared(plus))
    assert verdict.choice is not None
    said = f"{verdict.headline} {verdict.evidence}"
    assert verdict.headline.startswith(f"R{ALL[1:]} the scores of {verdict.choice.variant.label} ")
    assert f"R{ALL[1:]} random scores: " in verdict.evidence
    worse = f"was worse than {ALL} random scores: "
    assert (worse in verdict.headline, verdict.headline.endswith(" by random scores.")) == (plus < 0, plus < 0)
    assert "of training examples" not in said
    assert "a random" not in said


def test_so_do_a_takeaway_and_the_hint_of_a_column() -> None:
    comparison = compared(0.3)
    assert of_ensemble_gain(comparison, "relabel").startswith("With all training examples relabelled, ")
    hints = [column.hint for column in comparison_table(comparison, judge(comparison)).columns]
    assert [hint for hint in hints if f"{ALL} random scores" in hint]
    assert not [hint for hint in hints if "a random" in hint]


def test_a_class_that_such_an_action_empties_is_noted() -> None:
    rows = {"id": ["a", "b"], "action": "relabel", "fraction": 1.0, "kept": True, "label": [0, 0]}
    (said,) = notes_on(pd.DataFrame(rows), np.array([0, 1]), list("xy"), [ChosenAction("relabel")])
    assert said == "relabelling all training examples leaves no training example of the class y"
