"""One experiment, resolved: its scorers, variants and fractions, checked for what a schema cannot say."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from heft.auxiliary.kinds import kinds_for
from heft.curation.chosen import ChosenAction
from heft.ensembles.kinds import kind_named
from heft.errors import HeftError
from heft.options import named
from heft.registry import find
from heft.variants import Scorer, Variant, twice
from heft.workflow.configuration.device_names import check_precision
from heft.workflow.configuration.encoder import check_encoder
from heft.workflow.configuration.epochs import check_epochs
from heft.workflow.configuration.further_models import check_further_models, check_members
from heft.workflow.configuration.given_predictions import check_given_predictions
from heft.workflow.configuration.known_labels import check_known_labels
from heft.workflow.configuration.named_keys import check_functions, check_measure, chosen, each_chosen
from heft.workflow.configuration.number_of_jobs import check_number_of_jobs
from heft.workflow.configuration.numbers_of_examples import check_numbers_of_examples
from heft.workflow.configuration.persons_paths import place_of, with_places
from heft.workflow.configuration.settings import NAME_PATTERN, EnsembleSettings, ExperimentSettings


@dataclass(frozen=True)
class Experiment:
    """Name and settings of an experiment, and what follows from them; `where` starts its error messages."""

    name: str
    settings: ExperimentSettings
    where: str

    @cached_property
    def methods(self) -> dict[str, Scorer]:
        """The plain scorers of `methods`, by slug; an option that is a list makes a scorer of each of its values."""
        return {scorer.slug: scorer for scorer in self._listed_methods}

    @property
    def _listed_methods(self) -> list[Scorer]:
        return [Scorer(name, options) for name, options in each_chosen("methods", self.settings.methods)]

    @cached_property
    def baselines(self) -> dict[str, Scorer]:
        """Name and non-default options of each entry of `baselines`, by slug."""
        return {scorer.slug: scorer for scorer in self._listed_baselines}

    @property
    def _listed_baselines(self) -> list[Scorer]:
        return [Scorer(*chosen("baselines", entry)) for entry in self.settings.baselines]

    @cached_property
    def actions(self) -> list[ChosenAction]:
        """Each entry of `actions` with its non-default options; a list makes an action of each of its values."""
        return [ChosenAction(name, options) for name, options in each_chosen("curation", self.settings.actions)]

    @cached_property
    def variants(self) -> dict[str, Variant]:
        """Every variant by slug: each method alone, then each ensemble at each size above 1."""
        variants = [Variant(scorer) for scorer in self.methods.values()]
        for ensemble in self.settings.ensembles:
            for scorer in self._ensembled(ensemble):
                over_members = Scorer(scorer.method, scorer.options, ensemble.kind, ensemble.options)
                variants += [Variant(over_members, size) for size in ensemble.sizes if size > 1]
        return {variant.slug: variant for variant in variants}

    @cached_property
    def scorers(self) -> dict[str, tuple[Scorer, int]]:
        """Each scorer by slug, with the largest number of members that a variant asks of it."""
        largest: dict[str, tuple[Scorer, int]] = {}
        for variant in self.variants.values():
            size = largest.get(variant.scorer.slug, (variant.scorer, 0))[1]
            largest[variant.scorer.slug] = (variant.scorer, max(size, variant.members))
        return largest

    @cached_property
    def fractions(self) -> list[float]:
        """Fractions that are removed, ascending, the noise rate in its place; without planted noise it is left out."""
        noise = self.settings.data.noise
        planted = [noise.rate] if noise.kind != "none" else []
        given = {fraction for fraction in self.settings.fractions if not isinstance(fraction, str)}
        return sorted(given | set(planted if "noise_rate" in self.settings.fractions else []))

    @property
    def n_plans(self) -> int:
        """Number of models that are retrained for a scored variant: one for each action and fraction."""
        return sum(len(chosen.fractions(self.fractions)) for chosen in self.actions)

    @property
    def source(self) -> tuple[str, dict[str, Any]]:
        """Name and options of the data source."""
        return named(self.settings.data.source)

    @property
    def near_duplicates(self) -> bool:
        """Whether near-duplicates stay in one split: as configured, else as the source declares; an own one's do."""
        chosen = self.settings.data.near_duplicates
        declared = find("data/sources", self.source[0]).fields
        return bool(declared.get("near_duplicates", True)) if chosen is None else chosen

    @property
    def encoder(self) -> tuple[str, dict[str, Any]] | None:
        """Name and options of what makes features of the examples; None where the model sees them as they are."""
        return None if self.settings.encoder is None else named(self.settings.encoder)

    @property
    def model(self) -> tuple[str, dict[str, Any]]:
        """Name and options of the model."""
        return named(self.settings.model)

    @cached_property
    def objective(self) -> tuple[str, dict[str, Any]]:
        """Name and non-default options of what methods look at the validation split with."""
        return chosen("objectives", self.settings.objective)

    @cached_property
    def measure(self) -> tuple[str, dict[str, Any]]:
        """Name and non-default options of what the experiment is judged by."""
        return chosen("evaluation/metrics", self.settings.measure)

    def check(self, roots: Iterable[Path]) -> None:
        """Raises HeftError where the settings contradict each other, or name a module that is not in one of `roots`."""
        roots = list(roots)
        check_functions(self.settings, self.where, roots)
        with_places("data/sources", *self.source, roots, f"{self.where}.data.source.{self.source[0]}.")
        with_places("models", *self.model, roots, f"{self.where}.model.{self.model[0]}.")
        check_encoder(self.settings, roots, f"{self.where}.encoder")
        if self.settings.data.trusted:
            place_of(self.settings.data.trusted, roots, f"{self.where}.data.trusted")
        check_given_predictions(self.settings.data, roots, self.where)
        check_number_of_jobs(self.settings, self.where)
        self._check_names()
        check_epochs(self.settings, self.where)
        check_precision(self.settings.device, self.settings.precision, self.where)
        check_further_models(self._listed_methods, self.actions, self.where)
        check_known_labels(self.methods, self.settings.data, self.where)
        check_measure(self.settings.measure, f"{self.where}.measure")
        if not self.fractions:
            raise HeftError(
                f"{self.where}.fractions holds only noise_rate, but data.noise.kind is none; give at least one number"
            )
        check_numbers_of_examples(self.settings.data, self.fractions, self.where)
        for ensemble in self.settings.ensembles:
            self._check_ensemble(ensemble)

    def _check_names(self) -> None:
        if not re.match(NAME_PATTERN, self.name):
            raise HeftError(
                f'{self.where}: the name "{self.name}" may hold only lower-case letters, digits and underscores'
            )
        actions = [Scorer(chosen.name, chosen.options) for chosen in self.actions]
        all_listed = {"methods": self._listed_methods, "baselines": self._listed_baselines, "actions": actions}
        for key, listed in all_listed.items():
            if said := twice(listed):
                raise HeftError(f"{self.where}.{key} {said}")

    def _check_ensemble(self, ensemble: EnsembleSettings) -> None:
        where = f"{self.where}.ensembles ({ensemble.kind})"
        try:
            kind_named(ensemble.kind).check(ensemble.options)
        except HeftError as error:
            raise HeftError(f"{self.where}.ensembles: {error}") from error
        if kind_named(ensemble.kind).earlier_epochs:
            limits = {"training.epochs": self.settings.training.epochs}
            needs = [find("methods", scorer.method).fields["needs"] for scorer in self._ensembled(ensemble)]
            if any(kind.fine_tuning for needed in needs for kind in kinds_for(needed).values()):
                limits["fine_tuning.epochs"] = self.settings.fine_tuning.epochs
            key, limit = min(limits.items(), key=lambda item: item[1])
            if max(ensemble.sizes) > limit:
                raise HeftError(f"{where}: sizes has {max(ensemble.sizes)}; it must be at most {key}, which is {limit}")
        check_members(self._ensembled(ensemble), ensemble.kind, where)

    def _ensembled(self, ensemble: EnsembleSettings) -> list[Scorer]:
        able = [scorer for scorer in self.methods.values() if find("methods", scorer.method).fields["ensemble"]]
        if ensemble.methods is None:
            return able
        for name in ensemble.methods:
            if name not in {scorer.method for scorer in able}:
                known = ", ".join(scorer.method for scorer in able) or "none"
                raise HeftError(
                    f'{self.where}.ensembles ({ensemble.kind}): methods has "{name}", which is not in the list '
                    f"methods; add it there, or choose from {known}"
                )
        return [scorer for scorer in able if scorer.method in ensemble.methods]
