"""What one line of the comparison is called: its method, ensemble and size in words."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from heft.registry import find
from heft.reporting.wording import is_empty, method_title, options_in_words, qualified
from heft.variants import Scorer

REFERENCES = ("none", "random", "oracle")  # rows to compare with, never a method to recommend
MARK = "†"  # beside what was trained on validation labels


@dataclass(frozen=True)
class ReportedVariant:
    """One line of the comparison: a method, its ensemble ("" for the plain method) and the number of members.

    title and kind are words for the method and the ensemble, with the options that are not the default. scorer: the
    same for all sizes of an ensemble. base: the scorer of the same method and options without an ensemble.
    trains_on_validation: validation cannot judge it then, so it has no chosen row. baseline: another training, which
    removes nothing.
    """

    slug: str
    method: str
    title: str
    ensemble: str
    kind: str
    members: int
    scorer: str
    base: str
    trains_on_validation: bool = False
    baseline: bool = False

    @property
    def plain(self) -> bool:
        return self.ensemble == ""

    @property
    def label(self) -> str:
        return self.title if self.plain else qualified(self.title, f"{self.kind} ×{self.members}")

    @property
    def marked(self) -> str:
        """The label with a mark where validation labels were trained on, for tables and figures."""
        return self.label + (MARK if self.trains_on_validation else "")

    @property
    def short(self) -> str:
        """A marked label where there is little room: the kind from its last word on."""
        mark = MARK if self.trains_on_validation else ""
        if self.plain:
            return self.title + mark
        return f"{self.title}, {self.ensemble.split('_')[-1]}{self.kind.partition(',')[2]} ×{self.members}{mark}"

    @property
    def compared(self) -> bool:
        """Whether it is a method under test: neither `none`, `random`, `oracle` nor a baseline."""
        return self.method not in REFERENCES and not self.baseline


def named_variant(
    row: Mapping[Any, Any], declared: Mapping[str, Any], *, trains_on_validation: bool = False, baseline: bool = False
) -> ReportedVariant:
    """The variant of a row with variant, method, ensemble, members and options; titles are those of `declared`.

    options: a mapping or its JSON. Those that the method declares are the method's, others the ensemble's.
    """
    method, ensemble = str(row["method"]), str(row["ensemble"])
    own, of_ensemble = _options_of(row.get("options"), ensemble, declared.get(method))
    title = qualified(method_title(method, declared), options_in_words(own))
    kind = find("ensembles", ensemble).fields["title"] if ensemble else ""
    kind += f", {options_in_words(of_ensemble)}" if of_ensemble else ""
    return ReportedVariant(
        slug=str(row["variant"]),
        method=method,
        title=title,
        ensemble=ensemble,
        kind=kind,
        members=int(row["members"]),
        scorer=Scorer(method, own, ensemble, of_ensemble).slug,
        base=Scorer(method, own).slug,
        trains_on_validation=trains_on_validation,
        baseline=baseline,
    )


def _options_of(written: Any, ensemble: str, declared: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The options of the method, and those of the ensemble."""
    options = {} if is_empty(written) else json.loads(written) if isinstance(written, str) else dict(written)
    if not ensemble:
        return options, {}
    known = () if declared is None else declared.options
    own = {name: value for name, value in options.items() if name in known}
    return own, {name: value for name, value in options.items() if name not in known}
