"""The typed configuration. Its JSON schema is what a configuration is checked against, before anything runs."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel, ConfigDict, Field

from heft.data.settings import DataSettings
from heft.ensembles.kinds import kind_named
from heft.errors import HeftError
from heft.options import Named
from heft.phrases import nearest
from heft.registry import declarations, unreadable
from heft.training.settings import CheckpointSettings, FineTuningSettings, TrainingSettings
from heft.workflow.configuration.device_names import Device, Precision
from heft.workflow.configuration.named_keys import KEYS
from heft.workflow.configuration.option_schema import choice_with_options, name_of, options_beside
from heft.workflow.configuration.schema import check_against_schema

Unique = Field(json_schema_extra={"uniqueItems": True})
NAME_PATTERN = r"^[a-z0-9][a-z0-9_]*$"


class Strict(BaseModel):
    """Settings that refuse unknown keys; that types are right, the JSON schema has checked before."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EnsembleSettings(BaseModel):
    """Members of one kind, averaged at each of `sizes`, for the named methods (without `methods`: all that can be).

    All other keys are options of the kind, as the signature in its file says (`heft/ensembles`).
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str
    sizes: Annotated[list[Annotated[int, Gt(0), Le(1000)]], MinLen(1), MaxLen(1000), Unique]
    methods: Annotated[list[str] | None, Unique] = None

    @property
    def options(self) -> dict[str, Any]:
        """What was set and is not the kind's default."""
        given = {name: value for name, value in (self.model_extra or {}).items() if value is not None}
        return kind_named(self.kind).declaration.changed_options(given)


class ExperimentSettings(Strict):
    """All settings of one experiment."""

    seeds: Annotated[list[Annotated[int, Ge(0), Lt(2**32)]], MinLen(1), MaxLen(1000), Unique] = [0, 1, 2, 3, 4]
    data: DataSettings = DataSettings()
    encoder: Named | None = None
    model: Named = "mlp"
    training: TrainingSettings = TrainingSettings()
    fine_tuning: FineTuningSettings = FineTuningSettings()
    checkpoints: CheckpointSettings = CheckpointSettings()
    methods: Annotated[list[Named], MinLen(1), Unique] = [
        "random",
        "oracle",
        "loss",
        "margin",
        "el2n",
        "forgetting",
        "aum",
        "confident_learning",
        "trusted_loss",
        "self_ip",
        "grad_cos",
        "ip",
        "tracin",
        "if_cg",
    ]
    baselines: Annotated[list[Named], Unique] = ["finetuned"]
    ensembles: list[EnsembleSettings] = []
    device: Device = "cpu"
    precision: Precision = "float32"
    objective: Named = "loss"
    measure: Named = "test_accuracy"
    actions: Annotated[list[Named], MinLen(1), Unique] = ["remove"]
    fractions: Annotated[list[Annotated[float, Gt(0), Lt(1)] | Literal["noise_rate"]], MinLen(1), Unique] = [
        0.01,
        0.025,
        0.05,
        0.1,
        0.2,
        "noise_rate",
    ]
    show_examples: bool = True


class Configuration(Strict):
    """The whole file: which experiments run, and how each is made from `defaults` and its definition."""

    experiments: Annotated[list[str], MinLen(1), Unique]
    defaults: dict[str, Any] = {}
    definitions: dict[str, dict[str, Any]]
    data_dir: str | None = None
    keep_retrained: bool = False
    check_disk_space: bool = True


def schema() -> dict[str, Any]:
    """JSON schema of a configuration file, with the registered methods, models, sources and their options in it."""
    experiment = ExperimentSettings.model_json_schema(ref_template="#/$defs/{model}")
    definitions = experiment.pop("$defs")
    for key in KEYS:
        *groups, last = key.path.split(".")
        place = experiment["properties"]
        for group in groups:
            place = definitions[place[group]["$ref"].rpartition("/")[2]]["properties"]
        choice = choice_with_options(declarations(key.room), list(unreadable(key.room)), lists=key.lists)
        if key.optional:
            choice = {"anyOf": [*choice["anyOf"], {"type": "null"}]}
        place[last] = {**place[last], "items": choice} if key.several else choice
    ensembles = definitions["EnsembleSettings"]
    ensemble_methods = ensembles["properties"]["methods"]["anyOf"][0]
    able = [name for name, method in declarations("methods").items() if method.fields["ensemble"]]
    ensemble_methods["items"] = name_of([*able, *unreadable("methods")])
    others = {key: ensembles["properties"][key] for key in ("sizes", "methods")}
    definitions["EnsembleSettings"] = options_beside(
        "kind", list(declarations("ensembles").values()), list(unreadable("ensembles")), others, ["sizes"]
    )
    whole = Configuration.model_json_schema()
    whole["properties"]["defaults"] = {"$ref": "#/$defs/ExperimentSettings"}
    whole["properties"]["definitions"]["additionalProperties"] = {"$ref": "#/$defs/ExperimentSettings"}
    return {**whole, "$defs": {**definitions, "ExperimentSettings": experiment}}


def load_configuration(
    raw: Mapping[str, Any], file_of: Callable[[Sequence[Any]], str] = lambda path: "config.yaml"
) -> tuple[Configuration, dict[str, ExperimentSettings]]:
    """The checked configuration and the settings of each experiment that runs, by name.

    file_of: the file in which the value of a path stands. Raises HeftError in one sentence naming the file, the key,
    its value and what is allowed.
    """
    check_against_schema(raw, schema(), file_of)
    configuration = Configuration.model_validate(dict(raw))
    for index, experiment in enumerate(configuration.experiments):
        if experiment not in configuration.definitions:
            raise HeftError(
                f"{file_of(['experiments', index])}: experiments[{index}] is "
                f'"{experiment}"{nearest(experiment, configuration.definitions)}'
            )
    settings = {
        experiment: ExperimentSettings.model_validate(
            with_fewer_checkpoints(configuration.defaults, configuration.definitions[experiment])
        )
        for experiment in configuration.experiments
    }
    return configuration, settings


def data_folder(data_dir: str | None) -> Path | None:
    """The folder that is looked at for source files first; the environment variable HEFT_DATA wins over `data_dir`."""
    for key, value in (("the environment variable HEFT_DATA", os.environ.get("HEFT_DATA")), ("data_dir", data_dir)):
        if value:
            if not Path(value).is_dir():
                raise HeftError(f'{key} is "{value}"; there is no such folder')
            return Path(value)
    return None


def with_fewer_checkpoints(defaults: Mapping[str, Any], definition: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of an experiment, where a short training has as many checkpoints as epochs.

    Only numbers of checkpoints that nobody chose become smaller: those that are in no definition, and are the code's.
    """
    merged = _merged(defaults, definition)
    epochs = merged.get("training", {}).get("epochs", TrainingSettings().epochs)
    own, chosen = definition.get("checkpoints", {}), dict(merged.get("checkpoints", {}))
    for key, usual in (("spaced", CheckpointSettings().spaced), ("early", CheckpointSettings().early)):
        if key not in own and chosen.get(key, usual) == usual > epochs:
            chosen[key] = epochs
    return {**merged, "checkpoints": chosen}


def _merged(defaults: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`defaults` with `changes` over it: data, training and other groups key by key, everything else as a whole."""
    groups = ("data", "training", "fine_tuning", "checkpoints", "noise")
    merged = dict(defaults)
    for key, value in changes.items():
        merged[key] = _merged(merged.get(key, {}), value) if key in groups else value
    return merged
