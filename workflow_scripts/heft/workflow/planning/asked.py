"""What a person asks `check.py` to check, without torch: a model by its name, or those of a configuration."""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from heft.artifacts import read_json
from heft.auxiliary.validation_labels import readers_of_validation_labels
from heft.errors import HeftError
from heft.registry import declarations, find
from heft.workflow.configuration import known_labels
from heft.workflow.configuration.experiment import Experiment
from heft.workflow.configuration.settings import load_configuration
from heft.workflow.planning import paths
from heft.workflow.planning.plan import Plan, load_plan

Chosen = tuple[str, Mapping[str, Any]]  # name and options
PROJECT = Path(__file__).parents[4]


@dataclass(frozen=True)
class Asked:
    """A model (name, options, input_shape, n_classes), and the methods, with options, and kinds to try on it.

    objective: name and options of what methods look at the validation split with.
    """

    model: Mapping[str, Any]
    title: str = ""
    methods: Sequence[Chosen] = ()
    kinds: Sequence[str] = field(default_factory=lambda: list(declarations("ensembles")))
    objective: Chosen = ("loss", {})

    @classmethod
    def of_model(cls, name: str, options: Mapping[str, Any], input_shape: Sequence[int], n_classes: int) -> "Asked":
        """A model by its name, with every registered method."""
        if n_classes < 2:
            raise HeftError(f"--classes is {n_classes}; it must be at least 2.")
        model = {"name": name, "options": options, "input_shape": list(input_shape), "n_classes": n_classes}
        return cls(model, methods=[(method, {}) for method in declarations("methods")])


def asked_by_configuration(file: Path) -> list[Asked]:
    """The model of each experiment that the configuration runs, with its methods, then the others at their defaults.

    Raises HeftError where the configuration is wrong, or neither it nor a former run knows the shape of the data.
    """
    raw = _deeply_updated(_read(PROJECT / "config.yaml"), _read(file))
    plan = load_plan(raw, [file])
    return [_asked(plan, raw, name) for name in plan.experiments]


def tried_on(raw: Mapping[str, Any], name: str) -> dict[str, Any]:
    """`methods` with their options, `kinds` of ensembles, and the `objective`, of an experiment of a configuration."""
    experiment = _experiment(raw, name)
    return {
        "methods": [(scorer.method, dict(scorer.options)) for scorer in experiment.methods.values()],
        "kinds": sorted({ensemble.kind for ensemble in experiment.settings.ensembles}),
        "objective": experiment.objective,
    }


def needs_true_labels(raw: Mapping[str, Any], name: str) -> str:
    """The method of an experiment that needs the source's true labels, or nothing."""
    experiment = _experiment(raw, name)
    return known_labels.needs_true_labels(experiment.methods, experiment.settings.data)


def fractions(raw: Mapping[str, Any], name: str) -> list[float]:
    """Shares of the training split that an experiment acts on."""
    return _experiment(raw, name).fractions


def validation_readers(raw: Mapping[str, Any], name: str) -> list[str]:
    """The methods and baselines of an experiment that read validation labels."""
    experiment = _experiment(raw, name)
    return readers_of_validation_labels(
        (find("methods", scorer.method) for scorer in experiment.methods.values()),
        (find("baselines", scorer.method) for scorer in experiment.baselines.values()),
    )


def _experiment(raw: Mapping[str, Any], name: str) -> Experiment:
    _, settings = load_configuration(raw)
    return Experiment(name, settings[name], name)


def _asked(plan: Plan, raw: Mapping[str, Any], name: str) -> Asked:
    listed: list[Chosen] = tried_on(raw, name)["methods"]
    names = {method for method, _ in listed}
    others: list[Chosen] = [(method, {}) for method in declarations("methods") if method not in names]
    model = {**plan.model(name), **_data_of(plan, name)}
    objective = plan.experiments[name].objective
    return Asked(model, f"experiment {name}: ", [*listed, *others], objective=objective)


def _data_of(plan: Plan, name: str) -> dict[str, Any]:
    """input_shape and n_classes, as the data source declares them, or a former run has found them."""
    source, _ = plan.experiments[name].source
    encoder = plan.experiments[name].encoder
    declared = find("data/sources", source).fields.get("size")
    if declared and encoder is None:
        return {"input_shape": declared["input_shape"], "n_classes": declared["n_classes"]}
    manifest = Path((paths.ENCODED_MANIFEST if encoder else paths.MANIFEST).format(e=name))
    if not manifest.is_file():
        unknown = (
            f"the encoder {encoder[0]} has not run yet"
            if encoder
            else f"the data source {source} does not declare its size"
        )
        raise HeftError(f"experiment {name}: {unknown}; run it first, or name the model with --input and --classes.")
    facts = read_json(manifest)
    return {"input_shape": facts["input_shape"], "n_classes": len(facts["class_names"])}


def shape_of(text: str) -> list[int]:
    """`1,28,28` as numbers, for argparse."""
    try:
        shape = [int(part) for part in text.split(",")]
    except ValueError:
        shape = []
    if not shape or min(shape) < 1:
        raise argparse.ArgumentTypeError(f'"{text}" is no shape; write whole numbers with commas, such as 1,28,28')
    return shape


def option_of(text: str) -> tuple[str, Any]:
    """`width=24` as a name and a value that is read as in a configuration, for argparse."""
    import yaml

    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise argparse.ArgumentTypeError(f'"{text}" is no option; write name=value, such as width=24')
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError:
        raise argparse.ArgumentTypeError(f'"{value}" of {name} is no value; write it as in a configuration') from None


def _read(file: Path) -> dict[str, Any]:
    import yaml

    try:
        settings = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise HeftError(f"{file} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise HeftError(f"{file} is not YAML: {' '.join(str(error).split())}.") from error
    if not isinstance(settings, dict):
        raise HeftError(f"{file} holds no mapping (key: value).")
    return settings


def _deeply_updated(settings: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`settings` with `changes` over it, mapping by mapping, as Snakemake reads one --configfile after another."""
    updated = dict(settings)
    for key, value in changes.items():
        both = isinstance(value, Mapping) and isinstance(updated.get(key), Mapping)
        updated[key] = _deeply_updated(updated[key], value) if both else value
    return updated
