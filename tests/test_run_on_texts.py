"""A person's texts from a file beside their configuration, through an encoder, to a report that shows them."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from workspace import TINY, Workspace

GOOD, BAD = ("fine", "lovely", "a joy", "bright"), ("dull", "a bore", "bad", "flat")


def save_reviews(folder: Path, n: int = 160) -> None:
    """Reviews whose words follow their label, of which the fifth has none."""
    generator = np.random.default_rng(0)
    words = [[GOOD, BAD][row % 2][generator.integers(4)] for row in range(n)]
    texts = [f"<b>{row}</b> is {word}" for row, word in enumerate(words)]
    labels = ["" if row == 4 else ("up", "down")[row % 2] for row in range(n)]
    pd.DataFrame({"review": texts, "verdict": labels}).to_csv(folder / "reviews.csv", index=False)


@pytest.mark.slow
def test_a_file_of_texts_and_an_encoder_lead_to_a_report(tmp_path: Path) -> None:
    data: dict[str, Any] = {"source": {"text": {"path": "reviews.csv", "label": "verdict"}}}
    chosen = {"model": "logistic", "encoder": {"hashed_words": {"width": 256}}}
    definition = {**TINY["definitions"]["small"], **chosen, "training": {"epochs": 5, "learning_rate": 1.0}}
    sizes = {"train": 100, "validation": 30, "test": "rest", "noise": {"kind": "none"}}
    workspace = Workspace(tmp_path, {**TINY, "definitions": {"small": {**definition, "data": {**data, **sizes}}}})
    save_reviews(tmp_path)
    workspace.run()
    page = (tmp_path / "reports/small/index.html").read_text(encoding="utf-8")
    rows = pd.read_csv(tmp_path / "reports/small/comparison.csv")
    assert rows["test_accuracy"].min() > 0.8
    assert "reviews.csv, line 6" in page.partition('id="left-out-table"')[2]
    gallery = page.partition('id="cards"')[2].partition("</ol>")[0]
    assert gallery.count('<p class="text" dir="auto">&lt;b&gt;') == 36
    assert workspace.plan() == []
