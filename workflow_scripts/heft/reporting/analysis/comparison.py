"""The comparison as questions: which variants, which gain over no removal and over random, paired by seed."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from heft.evaluation.columns import CLASS_ACCURACY, DIVERGED
from heft.evaluation.statistics import Estimate, estimate, holm, paired_difference
from heft.reporting.analysis.rows import LongMetrics, normalised
from heft.reporting.analysis.variant import Variant, named_variant
from heft.reporting.inputs import MissingCell, ReportInput

ACCURACY = "test_accuracy"


class Comparison:
    """Reads the comparison table; all differences are paired by seed and of test accuracy (a fraction, not points)."""

    def __init__(self, report: ReportInput) -> None:
        self.rows = normalised(report.comparison)
        self.long = LongMetrics(report.long_metrics)
        self.missing: tuple[MissingCell, ...] = tuple(report.missing)
        self._declared = {**report.baselines, **report.methods}
        self._gains: dict[tuple[str, float], Estimate] = {}
        self.seeds = sorted(int(seed) for seed in self.rows["seed"].unique())
        self._removed = self.rows[self.rows["action"] == "remove"]
        self.fractions = sorted(float(fraction) for fraction in self._removed["fraction"].unique())
        self.noise_rate = report.split.noise_rate
        self.noise_known = bool(self.rows["noise_auroc"].notna().any())

    @cached_property
    def variants(self) -> list[Variant]:
        """All variants that remove examples: random, oracle, then by method, kind and size."""
        found = self._named(self._removed)
        return sorted(found, key=lambda one: (one.compared, one.method != "random", one.scorer, one.members))

    @cached_property
    def baselines(self) -> list[Variant]:
        """Other trainings that remove nothing, by name."""
        unpruned = self.rows[(self.rows["action"] == "") & (self.rows["method"] != "none")]
        return sorted(self._named(unpruned, baseline=True), key=lambda one: one.slug)

    @property
    def compared(self) -> list[Variant]:
        return [variant for variant in self.variants if variant.compared]

    @property
    def eligible(self) -> list[Variant]:
        """The compared variants that validation can judge, and thus choose."""
        return [variant for variant in self.compared if not variant.trains_on_validation]

    @cached_property
    def absent(self) -> list[tuple[Variant, str]]:
        """Variants of which no seed is evaluated, each with the reason."""
        there = set(self.rows["variant"])
        cells = {cell.variant: cell for cell in self.missing if cell.variant not in there}
        named = {
            slug: named_variant(vars(cell), self._declared, trains_on_validation=slug in self._trained_on_validation)
            for slug, cell in cells.items()
        }
        return [(named[slug], cells[slug].reason) for slug in sorted(cells)]

    def missing_seeds(self, variant: str) -> list[int]:
        """Seeds of which this variant is not evaluated."""
        return sorted(cell.seed for cell in self.missing if cell.variant == variant)

    def diverged(self, variant: str, fraction: float) -> list[int]:
        """Seeds whose model diverged: they have no accuracy, and every difference leaves them out."""
        found = self.long.values(DIVERGED, variant, fraction)
        return sorted(int(seed) for seed in found.index[found == 1])

    def find(self, slug: str) -> Variant | None:
        return next((variant for variant in self.variants if variant.slug == slug), None)

    @cached_property
    def noise_fraction(self) -> float | None:
        """The fraction compared that equals the noise rate, if there is one."""
        if not self.noise_known or self.noise_rate is None:
            return None
        rate = self.noise_rate
        return next((fraction for fraction in self.fractions if np.isclose(fraction, rate, atol=1e-6)), None)

    @cached_property
    def classes(self) -> list[int]:
        """Indices of the classes whose test accuracy is known by itself."""
        names = [name for name in self.long.names if name.startswith(CLASS_ACCURACY)]
        return sorted(int(name.removeprefix(CLASS_ACCURACY)) for name in names)

    def values(self, variant: str, fraction: float, column: str = ACCURACY) -> pd.Series:
        """A column by seed; what removes nothing has the same value whatever the fraction."""
        found = self._by_key.get((variant, fraction), self._by_key.get((variant, 0.0)))
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

    def class_gain(self, variant: Variant, fraction: float, index: int) -> Estimate:
        """Test accuracy of one class less that of the unpruned model."""
        metric = f"{CLASS_ACCURACY}{index}"
        after = self.long.values(metric, variant.slug, 0.0 if variant.baseline else fraction)
        return paired_difference(after, self.long.values(metric, "none"))

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
        groups = self.rows[self.rows["method"] != "none"].groupby(["variant", "fraction"])
        return {(str(variant), float(fraction)): rows.set_index("seed") for (variant, fraction), rows in groups}

    @cached_property
    def _trained_on_validation(self) -> set[str]:
        """Slugs that say so, or that have no chosen row where others have one, though their models did not diverge."""
        rows = self.rows[(self.rows["method"] != "none") & ~self.rows["variant"].isin(self._diverged)]
        said = self.long.variants_where("trains_on_validation", 1)
        return said | (
            set(rows["variant"]) - set(rows.loc[rows["chosen"], "variant"]) if rows["chosen"].any() else set()
        )

    @cached_property
    def _diverged(self) -> set[str]:
        return self.long.variants_where(DIVERGED, 1)

    def _named(self, rows: pd.DataFrame, baseline: bool = False) -> list[Variant]:
        return [
            named_variant(
                row,
                self._declared,
                trains_on_validation=row["variant"] in self._trained_on_validation,
                baseline=baseline,
            )
            for row in rows.drop_duplicates("variant").to_dict("records")
        ]
