"""What is done with the lowest-scored examples: an action, how the report speaks of it, and the fraction."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple


class Treatment(NamedTuple):
    """An action, as the column `action` of the comparison table spells it, and the fraction of examples."""

    action: str
    fraction: float


UNTREATED = Treatment("", 0.0)  # the rows of `none` and of baselines


@dataclass(frozen=True)
class Action:
    """An action in the words of a sentence.

    verb, gerund, participle, noun: `remove`, `removing`, `removed`, `removal`. does: what it does, in sentences.
    changes: the columns of a plan that it may change, of `kept`, `label` and `weight`.
    """

    title: str
    verb: str
    gerund: str
    participle: str
    noun: str
    does: str = ""
    changes: Sequence[str] = ("kept",)


# Speaks of all actions where an experiment has several.
TREAT = Action("Treat", "treat", "treating", "treated", "treatment")
