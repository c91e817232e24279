"""A run on a person's table, from its file to the report, and again when a colleague has added a column."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from workspace import TINY, Workspace

N = 240


def people() -> pd.DataFrame:
    draw = np.random.default_rng(0)
    age, colour = draw.normal(40, 12, N), draw.choice(["red", "green", "deep blue"], N)
    is_high = (age > 40) ^ (colour == "red") ^ (draw.random(N) < 0.1)
    return pd.DataFrame({"age": age, "favourite colour": colour, "pay": np.where(is_high, "> 50", "< 50")})


@pytest.mark.slow
def test_a_table_becomes_a_report_and_a_further_column_is_said(tmp_path: Path) -> None:
    data = {
        "source": {"table": {"path": "people.csv", "target": "pay"}},
        "train": 120,
        "validation": 40,
        "test": 60,
        "noise": {"kind": "clustered", "rate": 0.2},
    }
    settings = TINY["definitions"]["small"] | {"data": data}  # type: ignore[index]
    workspace = Workspace(tmp_path, {"experiments": ["small"], "definitions": {"small": settings}})
    table = people()
    table.loc[3, "age"] = np.nan
    table.to_csv(tmp_path / "people.csv", index=False)
    workspace.run()
    page = (tmp_path / "reports/small/index.html").read_text()
    assert "<dt>favourite colour</dt><dd>deep blue</dd>" in page
    assert "&lt; 50" in page
    assert "120 train, 40 validation, 60 test of 240 examples" in page
    rows = pd.read_csv(tmp_path / "reports/small/comparison.csv")
    assert rows["test_accuracy"].notna().all()
    table.assign(postcode=np.arange(N) % 7).to_csv(tmp_path / "people.csv", index=False)
    said = (
        "Since the last run: the file people.csv has other content; the column postcode (numeric) is new; the other "
        "columns have the same values; 240 examples as before."
    )
    assert f"prepare small: {said}" in workspace.run("--until", "prepare")
    assert said in (tmp_path / "logs/small/prepare.log").read_text()
