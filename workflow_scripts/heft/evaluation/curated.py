"""What an action did to the training split, in numbers: how many examples, and how many of them rightly."""

from collections.abc import Sequence

import numpy as np
import pandas as pd


def curated_numbers(
    block: pd.DataFrame, given: np.ndarray, true: np.ndarray | None, changes: Sequence[str]
) -> dict[str, float]:
    """Further numbers, in long form, of the labels and weights that an action changed; none of what it declares not to.

    block: kept, label and weight of a plan, in the order of `given` and `true` [n], the labels before and as they are
    (`None` where that is not known).
    """
    numbers = relabelling_quality(given, block["label"].to_numpy(), true) if "label" in changes else {}
    if "weight" in changes:
        numbers["n_reweighted"] = int((block["kept"] & (block["weight"] != 1)).sum())
    return numbers


def relabelling_quality(given: np.ndarray, label: np.ndarray, true: np.ndarray | None) -> dict[str, float]:
    """n_relabelled, how many labels changed; relabel_precision, share of these that are now the true one;
    relabel_recall, share of the wrong labels that are now right.

    given, label, true: int64 [n], before, after, and as they are. A share is left out where its divisor is 0,
    and both where `true` is `None`, since nothing is known of it.
    """
    changed = label != given
    if true is None:
        return {"n_relabelled": int(changed.sum())}
    wrong = given != true
    mended = int((wrong & (label == true)).sum())
    shares = {"relabel_precision": (mended, int(changed.sum())), "relabel_recall": (mended, int(wrong.sum()))}
    known = {name: above / below for name, (above, below) in shares.items() if below}
    return {"n_relabelled": int(changed.sum()), **known}
