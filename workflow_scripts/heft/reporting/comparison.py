"""The comparison as questions: which variants, which gain over no removal and over random, paired by seed."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from heft.reporting.inputs import ReportInput
from heft.reporting.wording import is_empty, method_title, qualified
from heft.statistics import Estimate, estimate, holm, paired_difference

REFERENCES = ("none", "random", "oracle")  # rows to compare with, never a method to recommend
ACCURACY = "test_accuracy"


@dataclass(frozen=True)
class Variant:
    """One line of the comparison: a method, its ensemble ("" for the plain method) and the number of members.

    title and kind are words for the method and the ensemble, with the options that are not the default.
    """

    slug: str
    method: str
    title: str
    ensemble: str
    kind: str
    members: int

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
    def short(self) -> str:
        """A label where there is little room: the kind from its last word on."""
        if self.plain:
            return self.title
        return f"{self.title}, {self.ensemble.split('_')[-1]}{self.kind.partition(',')[2]} ×{self.members}"

    @property
    def compared(self) -> bool:
        """Whether it is a method under test: neither `none`, `random` nor `oracle`."""
        return self.method not in REFERENCES


class Comparison:
    """Reads the comparison table; all differences are paired by seed and of test accuracy (a fraction, not points)."""

    def __init__(self, report: ReportInput) -> None:
        self.rows = _normalised(report.comparison)
        self.methods = report.methods
        self._gains: dict[tuple[str, float], Estimate] = {}
        self.seeds = sorted(int(seed) for seed in self.rows["seed"].unique())
        self._removed = self.rows[self.rows["action"] == "remove"]
        self.fractions = sorted(float(fraction) for fraction in self._removed["fraction"].unique())
        self.noise_rate = report.split.noise_rate
        self.noise_known = bool(self.rows["noise_auroc"].notna().any())

    @cached_property
    def variants(self) -> list[Variant]:
        """All variants but `none`: random, oracle, then by method, kind and size."""
        facts = self._removed.drop_duplicates("variant")
        found = [self._variant(row) for row in facts.to_dict("records")]
        return sorted(found, key=lambda one: (one.compared, one.method != "random", one.scorer, one.members))

    @property
    def compared(self) -> list[Variant]:
        return [variant for variant in self.variants if variant.compared]

    def find(self, slug: str) -> Variant | None:
        return next((variant for variant in self.variants if variant.slug == slug), None)

    @cached_property
    def noise_fraction(self) -> float | None:
        """The fraction compared that equals the noise rate, if there is one."""
        if not self.noise_known or self.noise_rate is None:
            return None
        rate = self.noise_rate
        return next((fraction for fraction in self.fractions if np.isclose(fraction, rate, atol=1e-6)), None)

    def values(self, variant: str, fraction: float, column: str = ACCURACY) -> pd.Series:
        """A column by seed."""
        found = self._by_key.get((variant, fraction))
        return pd.Series(dtype=float) if found is None else found[column].astype(float)

    @cached_property
    def unpruned(self) -> pd.DataFrame:
        """The rows of `none`, by seed."""
        return self.rows[self.rows["method"] == "none"].set_index("seed")

    def per_variant(self, variant: str, column: str) -> Estimate:
        """A column that is the same at every fraction (AUROC, cost): mean over seeds."""
        rows = self._removed[self._removed["variant"] == variant]
        return estimate(rows.groupby("seed")[column].first())

    def gain(self, variant: str, fraction: float) -> Estimate:
        """Test accuracy less that of the unpruned model."""
        if (variant, fraction) not in self._gains:
            unpruned = self.unpruned[ACCURACY].astype(float)
            self._gains[variant, fraction] = paired_difference(self.values(variant, fraction), unpruned)
        return self._gains[variant, fraction]

    def over_random(self, variant: str, fraction: float) -> Estimate:
        """Test accuracy less that after removing as many examples at random."""
        return self.difference(variant, "random", fraction)

    def paired(self, variant: str, other: str, column: str) -> Estimate:
        """Difference of a column that is the same at every fraction."""
        first = self._removed.groupby(["variant", "seed"])[column].first()
        empty = pd.Series(dtype=float)
        known = first.index.get_level_values(0)
        left, right = (first.loc[slug] if slug in known else empty for slug in (variant, other))
        return paired_difference(left, right)

    def difference(self, variant: str, other: str, fraction: float) -> Estimate:
        """Test accuracy less that of another variant at the same fraction."""
        return paired_difference(self.values(variant, fraction), self.values(other, fraction))

    def corrected(self, fraction: float, against: str) -> dict[str, float]:
        """Holm-corrected p-values of `gain` ("none") or `over_random` ("random") over the compared variants."""
        measure = self.gain if against == "none" else self.over_random
        slugs = [variant.slug for variant in self.compared]
        return dict(zip(slugs, holm(measure(slug, fraction).p_value for slug in slugs), strict=True))

    @cached_property
    def _by_key(self) -> Mapping[Any, pd.DataFrame]:
        groups = self._removed.groupby(["variant", "fraction"])
        return {(str(variant), float(fraction)): rows.set_index("seed") for (variant, fraction), rows in groups}

    def _variant(self, row: dict[Any, Any]) -> Variant:
        method, slug, ensemble = str(row["method"]), str(row["variant"]), str(row["ensemble"])
        parts = slug.split("__")
        title = qualified(method_title(method, self.methods), _options(parts[0], method))
        options = _options(parts[1], ensemble) if ensemble else ""
        kind = ensemble.replace("_", " ") + (f", {options}" if options else "")
        return Variant(slug, method, title, ensemble, kind, int(row["members"]))


def _options(named: str, name: str) -> str:
    """if_cg-damping_0.1-tolerance_1e-05 -> damping 0.1, tolerance 1e-05."""
    return re.sub(r"-(?=[a-z])", ", ", named.removeprefix(name)).removeprefix(", ").replace("_", " ")


def _normalised(comparison: pd.DataFrame) -> pd.DataFrame:
    """The table with "" for empty words, booleans in `chosen`, and numbers elsewhere."""
    rows = comparison.copy()
    for column in ("variant", "method", "ensemble", "action"):
        rows[column] = [("" if is_empty(value) else str(value)) for value in rows[column]]
    rows["chosen"] = [str(value).lower() == "true" for value in rows["chosen"]]
    rows["members"] = pd.to_numeric(rows["members"]).fillna(1).astype(int)
    words = {"experiment", "variant", "method", "ensemble", "options", "action", "chosen", "members"}
    for column in rows.columns.difference(list(words)):
        rows[column] = pd.to_numeric(rows[column])
    return rows
