"""What the Snakefile asks of the configuration: experiments, and the values and files of each job."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from heft.config import Configuration, data_folder, load_configuration
from heft.experiment import Experiment, declaration_of, module_file
from heft.fingerprint import PACKAGE_ROOT, fingerprint
from heft.registry import MODULES_VARIABLE, declarations
from heft.variants import NONE

GROUP_SIZE = 5  # members of the kind `seeds` are trained this many at a time; group 0 lacks member 0, the trained model


@dataclass(frozen=True)
class Plan:
    """The configuration and its resolved experiments; `roots` are the folders where a user's own modules may lie."""

    configuration: Configuration
    experiments: Mapping[str, Experiment]
    roots: tuple[Path, ...]

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
            for seed in experiment.settings.seeds:
                kept = [f"split/{split}.parquet" for split in ("train", "validation", "test")]
                kept += ["train/history.parquet", "checkpoints/states.safetensors", "checkpoints/checkpoints.json"]
                kept += [f"scores/{scorer}/members.parquet" for scorer in experiment.scorers]
                kept += [f"scores/{variant}.parquet" for variant in experiment.variants]
                kept += [f"pruned/{variant}.parquet" for variant in self.variants(name)]
                files += [f"results/{name}/seed{seed}/{file}" for file in kept]
        return files

    def code(self, experiment: str, script: str, method: str = "", model: bool = False) -> dict[str, str]:
        """Fingerprint of a stage: its script, the method's module, the model's module, and all that they import."""
        files = [PACKAGE_ROOT / f"{script}.py"]
        if method:
            files.append(declaration_of(method).file)
        if model:
            files.append(self._model_file(experiment))
        if script == "prepare":
            files.append(declarations("data/sources")[self.experiments[experiment].settings.data.source].file)
        return fingerprint(*files)

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

    def checkpoints(self, experiment: str) -> dict[str, Any]:
        """Which epoch states are kept."""
        return asdict(self.experiments[experiment].settings.checkpoints)

    def settings(self, experiment: str) -> dict[str, Any]:
        """All settings of an experiment, as plain values."""
        return self.experiments[experiment].settings.model_dump(mode="json")

    def report_code(self, experiment: str) -> dict[str, str]:
        """Fingerprint of the report, the legend's method files included."""
        methods = {scorer.method for scorer in self.experiments[experiment].methods.values()}
        files = [declaration_of(method).file for method in sorted(methods)]
        files += sorted(PACKAGE_ROOT.glob("heft/reporting/templates/*"))
        return fingerprint(PACKAGE_ROOT / "report.py", *files, packages=("matplotlib", "seaborn", "pandas"))

    @staticmethod
    def group_members(group: int) -> list[int]:
        """Numbers of the members that are trained together; member 0 is the trained model itself."""
        return [member for member in range(GROUP_SIZE * group, GROUP_SIZE * (group + 1)) if member > 0]

    def member_groups(self, experiment: str, scorer: str) -> list[str]:
        """Folders of trained members that a scorer needs beside the trained model."""
        found, size = self.experiments[experiment].scorers[scorer]
        return [str(group) for group in range(1 + (size - 1) // GROUP_SIZE)] if found.ensemble == "seeds" else []

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

    def variant(self, experiment: str, variant: str) -> dict[str, Any]:
        """The variant's columns of the comparison table."""
        if variant == NONE:
            return {"method": NONE, "ensemble": "", "members": 1, "options": {}}
        found = self.experiments[experiment].variants[variant]
        scorer = found.scorer
        return {
            "method": scorer.method,
            "ensemble": scorer.ensemble,
            "members": found.members,
            "options": scorer.all_options,
        }

    def variants(self, experiment: str) -> list[str]:
        """Slugs of all variants, the unpruned one first."""
        return [NONE, *self.experiments[experiment].variants]

    def fractions(self, experiment: str, variant: str) -> list[float]:
        """Fractions that are removed for a variant; none for the unpruned one."""
        return [] if variant == NONE else self.experiments[experiment].fractions

    def _model_file(self, experiment: str) -> Path:
        name, _ = self.experiments[experiment].model
        if ":" not in name:
            return declarations("models")[name].file
        return next(file for root in self.roots if (file := module_file(name, root)))


def load_plan(raw: Mapping[str, Any], files: list[Path]) -> Plan:
    """The plan of a configuration read from `files`, the first wins; raises HeftError for any mistake in it."""
    name = files[0].name if files else "config.yaml"
    configuration, settings = load_configuration(raw, name)
    data_folder(configuration.data_dir)
    roots = tuple(dict.fromkeys([*(file.resolve().parent for file in files), Path.cwd()]))
    experiments = {}
    for experiment, found in settings.items():
        experiments[experiment] = Experiment(experiment, found, f"{name}: definitions.{experiment}")
        experiments[experiment].check(roots)
    os.environ[MODULES_VARIABLE] = os.pathsep.join(map(str, roots))
    return Plan(configuration, experiments, roots)
