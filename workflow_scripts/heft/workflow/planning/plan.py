"""What the Snakefile asks of the configuration: experiments, and the values and files of each job."""

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from heft.ensembles.kinds import KINDS
from heft.own_module import MODULES_VARIABLE
from heft.registry import declarations, find
from heft.variants import NONE, Scorer, Variant
from heft.workflow.configuration.experiment import Experiment
from heft.workflow.configuration.settings import Configuration, data_folder, load_configuration
from heft.workflow.planning.fingerprint import PACKAGE_ROOT, Look
from heft.workflow.planning.misread import EVALUATED_WITH, resolve
from heft.workflow.planning.source_files import names_modality, state_of_files

# Models of `seeds` and `subsets` that are trained at a time; group 0 of `seeds` lacks member 0, the trained one.
GROUP_SIZE = 5


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
        return [f"reports/{name}/index.html" for name in self.experiments]

    @cached_property
    def results(self) -> list[str]:
        """The lasting results of each rule: targets, so that one that is deleted comes back, with its descendants."""
        files = []
        for name, experiment in self.experiments.items():
            files += [f"results/{name}/data/{file}" for file in ("inputs.safetensors", "examples.parquet")]
            files.append(f"results/{name}/model_check.json")
            files.append(f"results/{name}/report.record.jsonl")  # the report of an unfinished run lacks it
            for seed in experiment.settings.seeds:
                kept = [f"split/{split}.parquet" for split in ("train", "validation", "test")]
                kept += ["train/history.parquet", "checkpoints/states.safetensors", "checkpoints/checkpoints.json"]
                kept += [f"scores/{scorer}/members.parquet" for scorer in experiment.scorers]
                kept += [f"scores/{variant}.parquet" for variant in experiment.variants]
                kept += [f"pruned/{variant}.parquet" for variant in self.variants(name)]
                files += [f"results/{name}/seed{seed}/{file}" for file in kept]
        return files

    def code(
        self, experiment: str, script: str, method: str = "", model: bool = False, baseline: str = ""
    ) -> dict[str, str]:
        """Fingerprint of a stage: script, modules of the method, baseline and model, and all that they import."""
        files = [PACKAGE_ROOT / f"{script}.py"]
        if method:
            files.append(find("methods", method).file)
            if objective := self.objective(experiment, method):
                files.append(find("objectives", objective["name"]).file)
        if baseline:
            files.append(find("baselines", self.experiments[experiment].baselines[baseline].method).file)
        if model:
            files.append(find("models", self.experiments[experiment].model[0]).file)
        if script == "prepare":
            files += self._source_files(experiment)
        if script == "evaluate":
            files += [*self._evaluated_with, find("evaluation/metrics", self.measure(experiment)).file]
        return self.look.fingerprint(*files)

    def source(self, experiment: str) -> dict[str, Any]:
        """Name and options of the data source."""
        name, options = self.experiments[experiment].source
        return {"name": name, "options": options}

    def state_of_files(self, experiment: str) -> str:
        """What changes with the files that a person's own source has read; shipped ones are known by their SHA-256."""
        own = ":" in self.experiments[experiment].source[0]
        return state_of_files(Path(f"results/{experiment}/data/manifest.json")) if own else ""

    def _source_files(self, experiment: str) -> list[Path]:
        """The source's file; if it names no modality, those that the axes of its inputs may choose too."""
        file = find("data/sources", self.experiments[experiment].source[0]).file
        named = names_modality(self.look.fingerprint(file))
        return [file, *([] if named else [one.file for one in declarations("data/modalities").values()])]

    def model(self, experiment: str) -> dict[str, Any]:
        """Name and options of the model."""
        name, options = self.experiments[experiment].model
        return {"name": name, "options": options}

    def training(self, experiment: str) -> dict[str, Any]:
        """Settings of the training loop."""
        return asdict(self.experiments[experiment].settings.training)

    def data(self, experiment: str) -> dict[str, Any]:
        """Sizes of the splits, planted noise, and what a seed draws anew."""
        return asdict(self.experiments[experiment].settings.data)

    def resample(self, experiment: str) -> list[str]:
        """What a seed draws anew."""
        return list(self.experiments[experiment].settings.data.resample)

    def fine_tuning(self, experiment: str) -> dict[str, Any]:
        """Settings of further training on the validation split."""
        return asdict(self.experiments[experiment].settings.fine_tuning)

    def fine_tuning_of(self, experiment: str, kind: str) -> dict[str, Any]:
        """The same for members that are fine-tuned, nothing for the others, which it does not concern."""
        return self.fine_tuning(experiment) if kind == "fine_tunes" else {}

    def checkpoints(self, experiment: str, kind: str = "") -> dict[str, Any]:
        """Which epoch states have which role; of `fine_tunes`, which saw the validation split, the last is final."""
        chosen = asdict(self.experiments[experiment].settings.checkpoints)
        return chosen | ({"final": "last"} if kind == "fine_tunes" else {})

    def kept(self, experiment: str, kind: str = "") -> dict[str, Any]:
        """Which states outlive training: of the base model (`kind` empty), or of further trained models of a kind."""
        scorers = [(scorer, size) for scorer, size in self.experiments[experiment].scorers.values() if scorer.ensemble]
        latest = max((size for scorer, size in scorers if scorer.ensemble == "checkpoints"), default=0)
        if kind in ("folds", "subsets", "fine_tunes"):
            return {"roles": ["final"], "latest": latest}
        asked_again = [
            scorer for scorer, _ in scorers if KINDS[scorer.ensemble].perturbs and "dynamics" in self._needs(scorer)
        ]
        roles = ["final", "spaced", "early", "best", "last"]
        return {
            "roles": [*roles, "every"] if asked_again and not kind else roles,
            "latest": 0 if kind else latest,
        }

    def settings(self, experiment: str) -> dict[str, Any]:
        """All settings of an experiment, as plain values."""
        return self.experiments[experiment].settings.model_dump(mode="json")

    def report_code(self, experiment: str) -> dict[str, str]:
        """Fingerprint of the report, the legend's method files included."""
        methods = {scorer.method for scorer in self.experiments[experiment].methods.values()}
        baselines = {scorer.method for scorer in self.experiments[experiment].baselines.values()}
        files = [find("methods", method).file for method in sorted(methods)]
        files += [find("baselines", baseline).file for baseline in sorted(baselines)]
        files += sorted(PACKAGE_ROOT.glob("heft/reporting/templates/*"))
        return self.look.fingerprint(PACKAGE_ROOT / "report.py", *files, packages=("matplotlib", "seaborn", "pandas"))

    @staticmethod
    def members(kind: str, group: int) -> list[int]:
        """Numbers of the members that a group trains; of `seeds`, member 0 is the trained model itself."""
        if kind not in ("seeds", "subsets"):
            return [group]
        numbers = range(GROUP_SIZE * group, GROUP_SIZE * (group + 1))
        return [number for number in numbers if number > 0 or kind == "subsets"]

    @staticmethod
    def group_of(member: int) -> int:
        """The group of `seeds` that a member belongs to."""
        return member // GROUP_SIZE

    def member_groups(self, experiment: str, scorer: str, kind: str) -> list[int]:
        """Groups of further trained models of a kind (`seeds`, `folds`, `subsets`, `fine_tunes`) that a scorer needs.

        A group of `seeds` or `subsets` holds up to five models, one of the other kinds serves the member of its number.
        """
        found, size = self.experiments[experiment].scorers[scorer]
        needs = self._needs(found)
        members = size if found.ensemble == "seeds" else 1
        if kind == "seeds":
            own = {"final", "spaced", "early", "dynamics", "fine_tuned"} & needs
            return list(range(1 + (size - 1) // GROUP_SIZE)) if own and members > 1 else []
        if kind == "subsets":
            if "subsets" not in needs:
                return []
            models = members * find("methods", found.method).value_of("models", found.options)
            return list(range(-(-models // GROUP_SIZE)))
        needed = {"folds": "folds", "fine_tunes": "fine_tuned"}[kind]
        return list(range(members)) if needed in needs else []

    def needs_dynamics(self, experiment: str, scorer: str) -> bool:
        """Whether a scorer reads what was recorded of each epoch."""
        return "dynamics" in self._needs(self.experiments[experiment].scorers[scorer][0])

    @staticmethod
    def _needs(scorer: Scorer) -> set[str]:
        return set(find("methods", scorer.method).fields["needs"])

    def scorer(self, experiment: str, scorer: str) -> dict[str, Any]:
        """What `score_members` computes: method, options, ensemble kind and its options, number of members."""
        found, size = self.experiments[experiment].scorers[scorer]
        return {
            "method": found.method,
            "options": dict(found.options),
            "ensemble": found.ensemble,
            "ensemble_options": dict(found.ensemble_options),
            "members": size,
        }

    def objective(self, experiment: str, method: str) -> dict[str, Any]:
        """Name and options of the objective, for a method that looks at the validation split; the others have none."""
        name, options = self.experiments[experiment].objective
        looks = "validation" in find("methods", method).fields["needs"]
        return {"name": name, "options": options} if looks else {}

    def measure(self, experiment: str) -> str:
        """The measure that the experiment is judged by, and that says how validation chooses a row."""
        return self.experiments[experiment].measure[0]

    def variant(self, experiment: str, variant: str) -> dict[str, Any]:
        """What names the variant in the comparison table, and whether validation labels were trained on for it."""
        trains_on_validation = False
        if variant == NONE:
            found = Variant(Scorer(NONE))
        elif variant in self.experiments[experiment].baselines:
            found = Variant(self.experiments[experiment].baselines[variant])
            trains_on_validation = find("baselines", found.scorer.method).fields["trains_on_validation"]
        else:
            found = self.experiments[experiment].variants[variant]
            trains_on_validation = "fine_tuned" in self._needs(found.scorer)
        scorer = found.scorer
        return {
            "method": scorer.method,
            "ensemble": scorer.ensemble,
            "members": found.members,
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

    def fractions(self, experiment: str, variant: str) -> list[float]:
        """Fractions that are removed for a variant; none for one without scores."""
        return [] if variant in self.unscored(experiment) else self.experiments[experiment].fractions

    @cached_property
    def _evaluated_with(self) -> list[Path]:
        """The files of all measures and objectives."""
        return [found.file for room in EVALUATED_WITH for found in declarations(room).values()]


def load_plan(raw: Mapping[str, Any], files: list[Path], file_of: Callable[[Sequence[Any]], str] | None = None) -> Plan:
    """The plan of a configuration read from `files`, the first wins; raises HeftError for any mistake in it.

    file_of: the file in which the value of a path stands; without it, the first.
    """
    first = files[0].name if files else "config.yaml"
    file_of = file_of or (lambda path: first)
    configuration, settings = load_configuration(raw, file_of)
    data_folder(configuration.data_dir)
    roots = tuple(dict.fromkeys([*(file.resolve().parent for file in files), Path.cwd()]))
    os.environ[MODULES_VARIABLE] = os.pathsep.join(map(str, roots))
    look = Look()
    experiments, spoiled = resolve(settings, file_of, roots, look)
    return Plan(configuration, experiments, roots, look, spoiled)
