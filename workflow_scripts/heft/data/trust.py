"""What follows from labels that a person has checked, or has not: who guides scores, which numbers are unreliable."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd


def guiding(validation: pd.DataFrame) -> np.ndarray:
    """Which examples of a validation split methods look at and models are trained further on, bool [n].

    Those whose labels were checked, where there is one of each class that the split holds; else all.
    """
    everyone = np.ones(len(validation), bool)
    trusted = validation["trusted"].to_numpy(bool) if "trusted" in validation else everyone
    has_each = set(validation["label"][trusted]) == set(validation["label"])
    return trusted if has_each else everyone


def sentence_on_guides(validation: pd.DataFrame) -> str:
    """Which examples of validation guide scores, where some of them were checked and others were not; else empty."""
    n, n_trusted = len(validation), int(validation["trusted"].sum()) if "trusted" in validation else 0
    if n_trusted in (0, n):
        return ""
    if (n_guiding := int(guiding(validation).sum())) < n:
        return (
            f"Of {n:,} examples of validation, the {n_guiding:,} whose labels were checked (data.trusted) alone guide "
            "what reads validation labels; all of them judge."
        )
    return (
        f"Of {n:,} examples of validation, {n_trusted:,} were checked (data.trusted), but not one of each class: all "
        "of them guide what reads validation labels."
    )


def sentence_on_trust(facts: Mapping[str, Any], readers: Sequence[str]) -> str:
    """Sentences on labels of validation and test that nobody has checked; empty where all were, or noise was planted.

    facts: of a split. readers: the methods and baselines that read validation labels, unless checked ones alone guide
    them. Where true labels are known, models are tested on those.
    """
    held = ["validation"] if facts["n_wrong"] is not None else ["validation", "test"]
    n, trusted = facts["n"], facts["trusted"] or dict.fromkeys(facts["n"], 0)
    unchecked = [name for name in held if trusted[name] < n[name]]
    if facts["noise"] != "none" or not unchecked:
        return ""
    misguided = readers if facts["n_guiding"] == n["validation"] and "validation" in unchecked else []
    counted = " and ".join(f"{trusted[name]:,} of {n[name]:,} in {name}" for name in unchecked)
    numbers = [
        *(["every number on the test split"] if "test" in unchecked else []),
        *(["what validation chooses (method, action, fraction, best epoch)"] if "validation" in unchecked else []),
        *([f"what reads validation labels ({', '.join(misguided)})"] if misguided else []),
    ]
    return (
        f"Labels that a person has checked (data.trusted): {counted}. The others may be wrong as often as those of "
        f"training, which makes unreliable {', '.join(numbers)}."
    )
