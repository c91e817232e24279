"""What an action declares, and what it is given.

An action changes the training split: it takes examples away, or gives them other labels or weights. It is one file,
whose function sees the order of the scores and returns what becomes of each example.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from heft.curation.fractions import n_lowest
from heft.curation.ranking import lowest_first
from heft.errors import HeftError


@dataclass(frozen=True)
class Curated:
    """What becomes of each example: whether it stays (bool [n]), its label (int64 [n]) and its weight (float32 [n])."""

    kept: np.ndarray
    label: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class ActionContext:
    """All that an action may see of the training split, in one order; neither validation nor test is among it.

    ids, labels int64 (as given), scores float64 (low is detrimental): [n] each. ties [n]: which of equal scores comes
    first. fraction: the share to act on. probabilities: by need, `[n, n_classes]` each (see `held_out_probabilities`).
    true_labels int64 [n]: `None` unless the method that scored needs them.
    """

    ids: np.ndarray
    labels: np.ndarray
    scores: np.ndarray
    ties: np.ndarray
    fraction: float
    n_classes: int
    probabilities: Mapping[str, np.ndarray] = field(default_factory=dict)
    true_labels: np.ndarray | None = None

    @property
    def lowest(self) -> np.ndarray:
        """Rows of the `round(fraction * n)` lowest scores, lowest first."""
        return lowest_first(self.scores, self.ties)[: n_lowest(self.fraction, len(self.scores))]

    def held_out_probabilities(self, need: str) -> np.ndarray:
        """float64 [n, n_classes], by the further models of a need, the mean over those that did not train on the
        example; raises HeftError where the action did not ask for them."""
        if need not in self.probabilities:
            raise HeftError(f'This action was given no further models "{need}"; it must declare that in `needs`.')
        return self.probabilities[need]

    def curated(
        self, kept: np.ndarray | None = None, label: np.ndarray | None = None, weight: np.ndarray | None = None
    ) -> Curated:
        """Leaves what is `None` as it is: all stay, with the given labels and weight 1. What does not stay weighs 0."""
        kept = np.ones(len(self.labels), dtype=bool) if kept is None else kept
        weight = kept if weight is None else np.where(kept, weight, 0)
        return Curated(kept, self.labels if label is None else label, weight.astype(np.float32))


Action = Callable[..., Curated]


def action(
    *,
    title: str,
    verb: str,
    gerund: str,
    participle: str,
    noun: str,
    does: str,
    changes: tuple[Literal["kept", "label", "weight"], ...],
    needs: tuple[str, ...] = (),
    takes_fractions: bool = True,
) -> Callable[[Action], Action]:
    """Registers `(context, *, options...) -> Curated`; the keywords are literals, read without importing.

    title: the name that tables and figures print. verb, gerund, participle, noun: for sentences ("remove", "removing",
    "removed", "removal"). does: what it does, in sentences.
    changes: which columns of a plan it may change (`kept`, `label`, `weight`); what a row tells follows from them.
    needs: further trained models by the `need` of their kind (`heft/auxiliary`), such as `folds`, whose probabilities
    the context then holds.
    takes_fractions: whether it acts on each of the experiment's fractions. If not, it acts once, with fraction 1.
    """

    def register(function: Action) -> Action:
        registered: Any = function
        registered.title, registered.does = title, does
        registered.verb, registered.gerund, registered.participle, registered.noun = verb, gerund, participle, noun
        registered.changes, registered.needs, registered.takes_fractions = changes, needs, takes_fractions
        return function

    return register
