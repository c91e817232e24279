"""What a report's tables hold: which variants and treatments there are, and their values by seed."""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from heft.evaluation.columns import CLASS_ACCURACY, DIVERGED
from heft.evaluation.statistics import Estimate, estimate
from heft.reporting.analysis.rows import MEASURED, LongMetrics, measured, normalised, trained_on_validation
from heft.reporting.analysis.variant import ReportedVariant, named_variant
from heft.reporting.inputs import MissingCell, ReportInput
from heft.reporting.treatment import TREAT, UNTREATED, Action, Treatment


class Results:
    """Reads the comparison table and the long form."""

    def __init__(self, report: ReportInput) -> None:
        self.measure = report.measure
        self.long = LongMetrics(report.long_metrics)
        self.rows = measured(normalised(report.comparison), self.long, report.measure)
        self.missing: tuple[MissingCell, ...] = tuple(report.missing)
        self._declared = {**report.baselines, **report.methods}
        self.seeds = sorted(int(seed) for seed in self.rows["seed"].unique())
        self.treated = self.rows[self.rows["action"] != ""]
        there = set(self.treated["action"])
        compared = {slug: action for slug, action in report.actions.items() if slug in there}
        self.actions: Mapping[str, Action] = compared or report.actions
        self.fractions = sorted(float(fraction) for fraction in self.treated["fraction"].unique())
        self.noise_rate = report.split.noise_rate
        self.noise_known = bool(self.rows["noise_auroc"].notna().any())

    @property
    def several(self) -> bool:
        """Whether there is more than one action, which sentences then have to name."""
        return len(self.actions) > 1

    @property
    def any_action(self) -> Action:
        """The words for whatever is done: of the only action, or of all of them together."""
        return next(iter(self.actions.values())) if len(self.actions) == 1 else TREAT

    def fractions_of(self, action: str) -> list[float]:
        """The fractions that an action is compared at."""
        of_action = self.treated.loc[self.treated["action"] == action, "fraction"]
        return sorted(float(fraction) for fraction in of_action.unique())

    @cached_property
    def treatments(self) -> list[Treatment]:
        """Each action at each of its fractions."""
        return [Treatment(action, fraction) for action in self.actions for fraction in self.fractions_of(action)]

    @cached_property
    def variants(self) -> list[ReportedVariant]:
        """All variants that act on examples: random, oracle, then by method, kind and size."""
        return sorted(
            self._named(self.treated),
            key=lambda variant: (variant.compared, variant.method != "random", variant.scorer, variant.members),
        )

    @cached_property
    def baselines(self) -> list[ReportedVariant]:
        """Other trainings, which leave all examples as they are, by name."""
        untreated = self.rows[(self.rows["action"] == "") & (self.rows["method"] != "none")]
        return sorted(self._named(untreated, baseline=True), key=lambda variant: variant.slug)

    @property
    def compared(self) -> list[ReportedVariant]:
        return [variant for variant in self.variants if variant.compared]

    @property
    def eligible(self) -> list[ReportedVariant]:
        """The compared variants that validation can judge, and thus choose."""
        return [variant for variant in self.compared if not variant.trains_on_validation]

    @cached_property
    def absent(self) -> list[tuple[ReportedVariant, str]]:
        """Variants of which no seed is evaluated, each with the reason."""
        there = set(self.rows["variant"])
        cells = {cell.variant: cell for cell in self.missing if cell.variant not in there}
        named = {
            slug: named_variant(vars(cell), self._declared, trains_on_validation=slug in self._on_validation)
            for slug, cell in cells.items()
        }
        return [(named[slug], cells[slug].reason) for slug in sorted(cells)]

    def missing_seeds(self, variant: str) -> list[int]:
        """Seeds of which this variant is not evaluated."""
        return sorted(cell.seed for cell in self.missing if cell.variant == variant)

    def diverged(self, variant: str, treatment: Treatment) -> list[int]:
        """Seeds whose model diverged: they have no test result, and every difference leaves them out."""
        flags = self.long.values(DIVERGED, variant, treatment)
        return sorted(int(seed) for seed in flags.index[flags == 1])

    def find(self, slug: str) -> ReportedVariant | None:
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

    def values(self, variant: str, treatment: Treatment, column: str = MEASURED) -> pd.Series:
        """A column by seed; what leaves all examples as they are has the same value whatever the treatment."""
        rows = self._by_key.get((variant, *treatment), self._by_key.get((variant, *UNTREATED)))
        return pd.Series(dtype=float) if rows is None else rows[column].astype(float)

    @cached_property
    def untreated(self) -> pd.Series:
        """The measure of `none`, by seed."""
        return self.rows[self.rows["method"] == "none"].set_index("seed")[MEASURED].astype(float)

    def per_variant(self, variant: str, column: str) -> Estimate:
        """A column that is the same under every treatment (AUROC, cost): mean over seeds."""
        rows = self.treated[self.treated["variant"] == variant]
        return estimate(rows.groupby("seed")[column].first())

    @cached_property
    def _by_key(self) -> Mapping[Any, pd.DataFrame]:
        by_seed = self.rows[self.rows["method"] != "none"].set_index("seed")
        groups = by_seed.groupby(["variant", "action", "fraction"])
        return {(str(variant), str(action), float(fraction)): rows for (variant, action, fraction), rows in groups}

    @cached_property
    def _on_validation(self) -> set[str]:
        return trained_on_validation(self.rows, self.long)

    def _named(self, rows: pd.DataFrame, baseline: bool = False) -> list[ReportedVariant]:
        return [
            named_variant(
                row,
                self._declared,
                trains_on_validation=row["variant"] in self._on_validation,
                baseline=baseline,
            )
            for row in rows.drop_duplicates("variant").to_dict("records")
        ]
