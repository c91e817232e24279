"""What one line of the comparison is called: its method, ensemble and size in words."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from heft.registry import find
from heft.reporting.wording import method_title, qualified

REFERENCES = ("none", "random", "oracle")  # rows to compare with, never a method to recommend
MARK = "†"  # beside what was trained on validation labels


@dataclass(frozen=True)
class Variant:
    """One line of the comparison: a method, its ensemble ("" for the plain method) and the number of members.

    title and kind are words for the method and the ensemble, with the options that are not the default.
    trains_on_validation: validation cannot judge it then, so it has no chosen row. baseline: another training, which
    removes nothing.
    """

    slug: str
    method: str
    title: str
    ensemble: str
    kind: str
    members: int
    trains_on_validation: bool = False
    baseline: bool = False

    @property
    def plain(self) -> bool:
        return self.ensemble == ""

    @property
    def scorer(self) -> str:
        """The slug without the ensemble's size."""
        return self.slug if self.plain else self.slug.removesuffix(f"__{self.members}")

    @property
    def base(self) -> str:
        """The slug of the same method and options without an ensemble."""
        return self.slug if self.plain else self.scorer.rsplit("__", 1)[0]

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
) -> Variant:
    """The variant of a row with variant, method, ensemble and members; titles are those of `declared`."""
    method, slug, ensemble = str(row["method"]), str(row["variant"]), str(row["ensemble"])
    parts = slug.split("__")
    title = qualified(method_title(method, declared), _options(parts[0], method))
    options = _options(parts[1], ensemble) if ensemble else ""
    kind = find("ensembles", ensemble).fields["title"] + (f", {options}" if options else "") if ensemble else ""
    return Variant(slug, method, title, ensemble, kind, int(row["members"]), trains_on_validation, baseline)


def _options(named: str, name: str) -> str:
    """if_cg-damping_0.1-tolerance_1e-05 -> damping 0.1, tolerance 1e-05; a switch stands alone: rescale."""
    options = re.split(r"-(?=[a-z])", named.removeprefix(name).removeprefix("-"))
    switches = (re.sub(r"^(.*)_False$", r"no_\1", option.removesuffix("_True")) for option in options)
    return ", ".join(option.replace("_", " ") for option in switches)
