"""The comparison as questions: which gain over no treatment and over random, paired by seed."""

from functools import cached_property

import pandas as pd

from heft.evaluation.columns import CLASS_ACCURACY
from heft.evaluation.statistics import Estimate, holm, paired_difference
from heft.reporting.analysis.results import Results
from heft.reporting.analysis.variant import ReportedVariant
from heft.reporting.treatment import UNTREATED, Treatment


class Comparison(Results):
    """Takes differences of the results.

    All are paired by seed, of the experiment's measure in its own unit (a fraction, not points), and signed so that
    above 0 is better. Those to random or to another variant are taken under the same action and fraction.
    """

    @cached_property
    def _gains(self) -> dict[tuple[str, Treatment], Estimate]:
        return {}

    def better(self, left: pd.Series, right: pd.Series) -> Estimate:
        """Estimates how much better `left` is than `right` in the measure, paired by seed."""
        return paired_difference(self.measure.sign * left, self.measure.sign * right)

    def gain(self, variant: str, treatment: Treatment) -> Estimate:
        """Estimates how much better the variant is than the untreated model."""
        if (variant, treatment) not in self._gains:
            self._gains[variant, treatment] = self.better(self.values(variant, treatment), self.untreated)
        return self._gains[variant, treatment]

    def class_gain(self, variant: ReportedVariant, treatment: Treatment, index: int) -> Estimate:
        """Test accuracy of one class less that of the untreated model."""
        metric = f"{CLASS_ACCURACY}{index}"
        after = self.long.values(metric, variant.slug, UNTREATED if variant.baseline else treatment)
        return paired_difference(after, self.long.values(metric, "none"))

    def over_random(self, variant: str, treatment: Treatment) -> Estimate:
        """Estimates how much better the variant is than the same treatment of as many random examples."""
        return self.difference(variant, "random", treatment)

    def paired(self, variant: str, other: str, column: str) -> Estimate:
        """Difference of a column that is the same under every treatment."""
        first = self.treated.groupby(["variant", "seed"])[column].first()
        empty = pd.Series(dtype=float)
        known = first.index.get_level_values(0)
        left, right = (first.loc[slug] if slug in known else empty for slug in (variant, other))
        return paired_difference(left, right)

    def difference(self, variant: str, other: str, treatment: Treatment) -> Estimate:
        """Estimates how much better the variant is than another one under the same treatment."""
        return self.better(self.values(variant, treatment), self.values(other, treatment))

    def corrected(self, treatment: Treatment, against: str) -> dict[str, float]:
        """Holm-corrected p-values of `gain` ("none") or `over_random` ("random") over the compared variants."""
        measure = self.gain if against == "none" else self.over_random
        slugs = [variant.slug for variant in self.compared]
        return dict(zip(slugs, holm(measure(slug, treatment).p_value for slug in slugs), strict=True))
