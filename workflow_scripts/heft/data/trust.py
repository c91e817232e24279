"""Says which numbers are unreliable because labels of validation and test may be wrong."""

from collections.abc import Mapping, Sequence
from typing import Any


def sentence_on_trust(facts: Mapping[str, Any], readers: Sequence[str]) -> str:
    """Sentences on labels of validation and test that nobody has checked; empty where all were, or noise was planted.

    facts: of a split. readers: the methods and baselines that read validation labels. Where true labels are known,
    models are tested on those.
    """
    held = ["validation"] if facts["n_wrong"] is not None else ["validation", "test"]
    n, trusted = facts["n"], facts["trusted"] or dict.fromkeys(facts["n"], 0)
    unchecked = [name for name in held if trusted[name] < n[name]]
    if facts["noise"] != "none" or not unchecked:
        return ""
    counted = " and ".join(f"{trusted[name]:,} of {n[name]:,} in {name}" for name in unchecked)
    numbers = [
        *(["every number on the test split"] if "test" in unchecked else []),
        *(["what validation chooses (method, action, fraction, best epoch)"] if "validation" in unchecked else []),
        *([f"what reads validation labels ({', '.join(readers)})"] if readers and "validation" in unchecked else []),
    ]
    return (
        f"Labels that a person has checked (data.trusted): {counted}. The others may be wrong as often as those of "
        f"training, which makes unreliable {', '.join(numbers)}."
    )
