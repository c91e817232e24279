"""What the Snakefile asks of the configuration: experiments, lasting files, and the values of each job."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from heft.auxiliary.kinds import kinds
from heft.curation.chosen import ChosenAction
from heft.options import named
from heft.own_module import MODULES_VARIABLE
from heft.registry import declarations, find
from heft.variants import NONE, Scorer, Variant
from heft.workflow.configuration.experiment import Experiment
from heft.workflow.configuration.persons_paths import source_with_places, with_places
from heft.workflow.configuration.settings import Configuration, data_folder, load_configuration
from heft.workflow.planning import paths
from heft.workflow.planning.auxiliary import needs_of, trained_on_validation
from heft.workflow.planning.fingerprint import Look
from heft.workflow.planning.held_out import files_by_action, trained_on_validation_for
from heft.workflow.planning.lasting import lasting_files
from heft.workflow.planning.misread import EVALUATED_WITH, resolve


@dataclass(frozen=True)
class Plan:
    """The configuration and its resolved experiments; `roots` are the folders where a user's own modules may lie.

    look: at the code, the same for all jobs.
    spoiled: {experiment: a sentence} of those that use a file which cannot be read, and are left out.
    """

    configuration: Configuration
    experiments: Mapping[str, Experiment]
    roots: tuple[Path, ...]
    look: Look
    spoiled: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def reports(self) -> list[str]:
        """The pages that a run makes."""
        return [paths.PAGE.format(e=name) for name in self.experiments]

    @property
    def pages(self) -> list[str]:
        """The pages that the index lists: those that this run makes, and those that other runs left."""
        return sorted({*self.reports, *(file.as_posix() for file in Path().glob(paths.PAGE.format(e="*")))})

    @cached_property
    def results(self) -> list[str]:
        """The lasting results of each rule: targets, so that one that is deleted comes back, with its descendants."""
        of_each = (lasting_files(experiment, self.variants(name)) for name, experiment in self.experiments.items())
        return [file for files in of_each for file in files]

    def source(self, experiment: str) -> dict[str, Any]:
        """Name and options of the data source, and the file of trusted ids; a person's files as they are reached."""
        resolved = self.experiments[experiment]
        return source_with_places(*resolved.source, resolved.settings.data.trusted, self.roots)

    def source_threads(self, experiment: str) -> int:
        """How many threads read the data source."""
        return int(find("data/sources", self.experiments[experiment].source[0]).fields.get("threads", 1))

    def model(self, experiment: str) -> dict[str, Any]:
        """Name and options of the model, with the place of a person's file of weights."""
        name, options = self.experiments[experiment].model
        return {"name": name, "options": with_places("models", name, options, self.roots)}

    def training(self, experiment: str) -> dict[str, Any]:
        """Settings of the training loop, but the workers, which change no number: another number reruns nothing."""
        return dict(self.settings(experiment)["training"])

    def optimiser(self, experiment: str) -> str:
        """The name of the optimiser that training uses."""
        return named(self.experiments[experiment].settings.training.optimiser)[0]

    def data(self, experiment: str) -> dict[str, Any]:
        """Sizes of the splits, planted noise, what stays together, and what a seed draws anew."""
        asked = self.experiments[experiment]
        return asdict(replace(asked.settings.data, predictions=None)) | {"near_duplicates": asked.near_duplicates}

    def resample(self, experiment: str) -> list[str]:
        """What a seed draws anew."""
        return list(self.experiments[experiment].settings.data.resample)

    def fine_tuning(self, experiment: str) -> dict[str, Any]:
        """Settings of further training on the validation split."""
        return asdict(self.experiments[experiment].settings.fine_tuning)

    def settings(self, experiment: str) -> dict[str, Any]:
        """All settings of an experiment but the workers, as plain values."""
        return self.experiments[experiment].settings.model_dump(mode="json", exclude={"training": {"workers"}})

    def scorer(self, experiment: str, scorer: str) -> dict[str, Any]:
        """What `score_members` computes: method, options, ensemble kind and its options, number of members."""
        asked, size = self.experiments[experiment].scorers[scorer]
        return {
            "method": asked.method,
            "options": dict(asked.options),
            "ensemble": asked.ensemble,
            "ensemble_options": dict(asked.ensemble_options),
            "members": size,
        }

    def objective(self, experiment: str, method: str) -> dict[str, Any]:
        """Name and options of the objective, for a method that looks at the validation split; the others have none."""
        name, options = self.experiments[experiment].objective
        looks = "validation" in find("methods", method).fields["needs"]
        return {"name": name, "options": options} if looks else {}

    def measure(self, experiment: str) -> dict[str, Any]:
        """The measure that the experiment is judged by, and the options of its objective, as `Judge` takes them."""
        name, options = self.experiments[experiment].measure
        objective, of_objective = self.experiments[experiment].objective
        return {"name": name, "options": options, "objectives": {objective: of_objective} if of_objective else {}}

    def variant(self, experiment: str, variant: str) -> dict[str, Any]:
        """What names the variant in the comparison table, and whether validation labels were trained on for it."""
        trains_on_validation = False
        if variant == NONE:
            resolved = Variant(Scorer(NONE))
        elif variant in self.experiments[experiment].baselines:
            resolved = Variant(self.experiments[experiment].baselines[variant])
            trains_on_validation = find("baselines", resolved.scorer.method).fields["trains_on_validation"]
        else:
            resolved = self.experiments[experiment].variants[variant]
            of_actions = trained_on_validation_for(self.experiments[experiment])
            trains_on_validation = trained_on_validation(resolved.scorer) or of_actions
        scorer = resolved.scorer
        return {
            "method": scorer.method,
            "ensemble": scorer.ensemble,
            "members": resolved.members,
            "options": scorer.all_options,
            "trains_on_validation": trains_on_validation,
        }

    def variants(self, experiment: str) -> list[str]:
        """Slugs of all variants: the unpruned one, the baselines, then the scored ones."""
        return [*self.unscored(experiment), *self.experiments[experiment].variants]

    def unscored(self, experiment: str) -> list[str]:
        """Slugs of the variants that remove nothing: the unpruned one and the baselines."""
        return [NONE, *self.experiments[experiment].baselines]

    @cached_property
    def baselines(self) -> list[str]:
        """Slugs of the baselines of all experiments."""
        return sorted({slug for experiment in self.experiments.values() for slug in experiment.baselines})

    def actions(self, experiment: str, variant: str) -> list[Any]:
        """Actions of a variant, as the configuration names them; none for one without scores."""
        return [chosen.entry for chosen in self.chosen_actions(experiment, variant)]

    def compared_actions(self, experiment: str) -> list[Any]:
        """Entries of all actions of an experiment, as the report compares them."""
        return [chosen.entry for chosen in self.experiments[experiment].actions]

    def fractions(self, experiment: str, variant: str) -> list[float]:
        """Fractions that are acted on for a variant; none for one without scores."""
        return [] if variant in self.unscored(experiment) else self.experiments[experiment].fractions

    def held_out(self, pattern: str, experiment: str, variant: str, seed: str) -> dict[str, dict[str, str]]:
        """{action: {need: file}}, of a pattern in `paths`, of further models that the actions of a variant need."""
        return files_by_action(self.chosen_actions(experiment, variant), pattern, experiment, seed)

    def sees_true_labels(self, experiment: str, variant: str) -> bool:
        """Whether the variant's method sees the true labels, so that its actions do."""
        scored = self.experiments[experiment].variants
        return variant in scored and "true_labels" in needs_of(scored[variant].scorer)

    def chosen_actions(self, experiment: str, variant: str) -> list[ChosenAction]:
        """The same with what their files declare."""
        return [] if variant in self.unscored(experiment) else self.experiments[experiment].actions

    @cached_property
    def evaluated_with(self) -> list[Path]:
        """The files of all measures and objectives."""
        return [declared.file for room in EVALUATED_WITH for declared in declarations(room).values()]


def load_plan(raw: Mapping[str, Any], files: list[Path], file_of: Callable[[Sequence[Any]], str] | None = None) -> Plan:
    """The plan of a configuration read from `files`, the first wins; raises HeftError for any mistake in it.

    file_of: the file in which the value of a path stands; without it, the first.
    """
    first = files[0].name if files else "config.yaml"
    file_of = file_of or (lambda path: first)
    roots = tuple(dict.fromkeys([*(file.resolve().parent for file in files), Path.cwd()]))
    os.environ[MODULES_VARIABLE] = os.pathsep.join(map(str, roots))
    configuration, settings = load_configuration(raw, file_of)
    data_folder(configuration.data_dir)
    kinds()  # says what is wrong with one
    look = Look()
    experiments, spoiled = resolve(settings, file_of, roots, look)
    return Plan(configuration, experiments, roots, look, spoiled)
