"""Names that stand for ids where these may not be read, such as names of files that name persons."""

import hashlib
from collections.abc import Mapping
from typing import Any

LENGTH = 16  # of 64 hexadecimal digits: of ten million ids two are alike with a probability of 3e-6


def pseudonym(name: str) -> str:
    """The first `LENGTH` digits of the SHA-256 of an id in UTF-8: the same on each machine and in each data set."""
    return hashlib.sha256(name.encode()).hexdigest()[:LENGTH]


def with_pseudonyms(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of a split with pseudonyms in the place of all ids."""
    sets = {
        key: [entry | {"ids": [pseudonym(name) for name in entry["ids"]]} for entry in facts[key]]
        for key in ("conflicting_duplicates", "near_duplicates")
    }
    leaked = [entry | {key: pseudonym(entry[key]) for key in ("id", "like")} for entry in facts["leaked"]]
    return {**facts, **sets, "leaked": leaked}
