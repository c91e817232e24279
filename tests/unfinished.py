"""Reports that lack variants."""

import pandas as pd

SENTENCE = "score_members: Method loss gave 3 of 600 scores that are not finite"


def without(rows: pd.DataFrame, *cells: tuple[str, int]) -> pd.DataFrame:
    for variant, seed in cells:
        rows = rows[~((rows["variant"] == variant) & (rows["seed"] == seed))]
    return rows
