"""The lowest-scored training examples with what several methods say of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from heft.pseudonyms import pseudonym
from heft.reporting.analysis.comparison import Comparison
from heft.reporting.inputs import ShownExample, TrainingExamples
from heft.reporting.text.verdict import Verdict

SHOWN = 36
MOST_METHODS = 8  # bars below an example


@dataclass(frozen=True)
class Card:
    """One training example. wrong: whether given is not true, None where that is unknown.

    percentiles: (method, percentage of training examples with a lower score), low = detrimental.
    shown: what the example looks like; None where that is left out, or cannot be shown.
    """

    id: str
    given: str
    true: str | None
    wrong: bool | None
    percentiles: list[tuple[str, float]]
    shown: ShownExample | None = None


@dataclass(frozen=True)
class Gallery:
    cards: list[Card]
    label: str
    seed: int
    n: int

    @property
    def shows(self) -> bool:
        """Whether it shows what an example is."""
        return any(card.shown for card in self.cards)

    def with_ids_alone(self) -> "Gallery":
        """The same without what the examples look like."""
        return replace(self, cards=[replace(card, shown=None) for card in self.cards])

    def with_pseudonyms(self) -> "Gallery":
        """The same with pseudonyms alone, which neither show nor name the examples."""
        return replace(self, cards=[replace(card, shown=None, id=pseudonym(card.id)) for card in self.cards])

    @property
    def takeaway(self) -> str:
        shown = len(self.cards)
        known = [card for card in self.cards if card.wrong is not None]
        if not known:
            return f"The {shown} lowest-scored of {self.n:,} training examples; their true labels are not known."
        wrong = sum(bool(card.wrong) for card in known)
        return f"Of the {shown} lowest-scored of {self.n:,} training examples, {wrong} carry a wrong label."


def make_gallery(
    training: TrainingExamples, comparison: Comparison, verdict: Verdict, class_names: Sequence[str]
) -> Gallery | None:
    """Cards of the examples that the headline's variant ranks lowest, lowest first; ties in training order."""
    choice = verdict.choice
    scores = training.scores.set_index("id").reindex(training.examples["id"])
    if choice is None or choice.variant.slug not in scores:
        return None
    ranked = [choice.variant] + [
        variant
        for variant in comparison.compared
        if variant.plain and variant.slug in scores and variant.slug != choice.variant.slug
    ]
    percentiles = {variant.short: _percentiles(scores[variant.slug]) for variant in ranked[:MOST_METHODS]}
    lowest = np.argsort(scores[choice.variant.slug].to_numpy(), kind="stable")[:SHOWN]
    places = [int(place) for place in lowest]
    shown = _shown(training, places)
    cards = [_card(training, place, percentiles, class_names, shown.get(place)) for place in places]
    return Gallery(cards, choice.variant.label, training.seed, len(scores))


def _card(
    training: TrainingExamples,
    place: int,
    percentiles: Mapping[str, np.ndarray],
    class_names: Sequence[str],
    shown: ShownExample | None,
) -> Card:
    row = training.examples.iloc[place]
    true = row.get("true_label")
    known = true is not None and not pd.isna(true)
    return Card(
        id=str(row["id"]),
        given=_class_name(row["label"], class_names),
        true=_class_name(true, class_names) if known else None,
        wrong=bool(int(true) != int(row["label"])) if known else None,
        percentiles=[(label, round(float(values[place]), 1)) for label, values in percentiles.items()],
        shown=shown,
    )


def _shown(training: TrainingExamples, places: Sequence[int]) -> dict[int, ShownExample]:
    if training.inputs is None or training.modality is None:
        return {}
    return dict(zip(places, training.modality.show(training.inputs, places), strict=True))


def _percentiles(scores: pd.Series) -> np.ndarray:
    """Percentage of the other examples that score lower (ties count half), [n]."""
    return (100 * (scores.rank(method="average") - 1) / max(1, len(scores) - 1)).to_numpy()


def _class_name(label: Any, class_names: Sequence[str]) -> str:
    return class_names[int(label)] if int(label) < len(class_names) else str(int(label))
