"""A wrong configuration is one sentence that names the key, its value and what is allowed."""

import copy
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from heft.auxiliary.kinds import kinds
from heft.errors import HeftError
from heft.training.settings import CheckpointSettings, TrainingSettings
from heft.workflow.configuration.settings import ExperimentSettings, schema
from heft.workflow.planning.auxiliary import all_groups, groups_of
from heft.workflow.planning.plan import Plan, load_plan

ROOT = Path(__file__).parent.parent
SHIPPED = yaml.safe_load((ROOT / "config.yaml").read_text())


def changed(path: str, value: Any) -> dict[str, Any]:
    """The shipped configuration with one key, a dotted path, set to `value`."""
    raw = copy.deepcopy(SHIPPED)
    *groups, key = path.split(".")
    place = raw
    for group in groups:
        place = place[group]
    place[key] = value
    return raw


def load(raw: dict[str, Any]) -> Plan:
    return load_plan(raw, [ROOT / "config.yaml"])


@pytest.mark.parametrize("experiment", sorted(SHIPPED["definitions"]))
def test_each_shipped_experiment_is_valid(experiment: str) -> None:
    plan = load(changed("experiments", [experiment]))
    assert list(plan.experiments) == [experiment]


def test_the_default_has_at_least_eight_methods_fourteen_variants_and_six_fractions() -> None:
    experiment = load(SHIPPED).experiments["mnist5k"]
    assert len(experiment.methods) >= 8
    assert len(experiment.variants) >= 14
    assert experiment.fractions == [0.01, 0.025, 0.05, 0.1, 0.2, 0.3]


def test_the_file_shows_the_defaults_that_the_code_has() -> None:
    shown = SHIPPED["defaults"]
    assert shown["training"] == asdict(TrainingSettings())
    assert shown["checkpoints"] == asdict(CheckpointSettings())
    settings = ExperimentSettings()
    assert shown["data"] == asdict(settings.data)
    for key in ("seeds", "model", "methods", "objective", "measure", "fractions"):
        assert shown[key] == getattr(settings, key), key


MISTAKES = [
    ("experimnts", 1, 'experimnts is not a key; did you mean "experiments"?'),
    (
        "experiments",
        ["mnist5"],
        'experiments[0] is "mnist5"; did you mean "mnist5k"? Known: all_methods, b',
    ),
    ("experiments", [], "experiments is empty"),
    ("defaults", [], "defaults is []; it must be a mapping"),
    ("defaults.methods", ["loss", "ipp"], 'defaults.methods[1] is "ipp"; did you mean "ip"? Known: aum'),
    ("defaults.methods", ["ip", "ip"], 'defaults.methods names "ip" twice'),
    ("defaults.methods", ["if_cg", {"if_cg": {"damping": 0.1}}], "names if_cg twice"),
    (
        "defaults.methods",
        [{"if_cg": {"dampin": 1}}],
        'methods[0].if_cg.dampin is not an option; did you mean "damping"?',
    ),
    ("defaults.methods", [{"if_cg": {"damping": "x"}}], 'methods[0].if_cg.damping is "x"; it must be a number'),
    ("defaults.methods", [{"if_cg": {"damping": [0.1, "x"]}}], 'methods[0].if_cg.damping[1] is "x"; it must be a num'),
    ("defaults.methods", [{"if_cg": {"damping": []}}], "methods[0].if_cg.damping is empty"),
    ("defaults.methods", ["if_cg", {"if_cg": {"damping": [0.1, 0.2]}}], "names if_cg twice"),
    ("defaults.fractions", [0.1, 1.5], "defaults.fractions[1] is 1.5; it must be between 0 and 1, both excluded"),
    ("defaults.fractions", [0.0], "defaults.fractions[0] is 0.0; it must be between 0 and 1, both excluded"),
    ("defaults.fractions", [0.1, 0.1], "defaults.fractions names 0.1 twice"),
    ("defaults.fractions", ["noise"], 'defaults.fractions[0] is "noise"'),
    ("defaults.objective", "los", 'defaults.objective is "los"; did you mean "loss"? Known: loss, macro_loss'),
    ("defaults.objective", {"loss": {"a": 1}}, "defaults.objective.loss.a is not an option"),
    ("defaults.measure", "accuracy", 'defaults.measure is "accuracy"; did you mean "test_accuracy"? Known: balanced'),
    ("defaults.seeds", [0, 0], "defaults.seeds names 0 twice"),
    ("defaults.seeds", 5, "defaults.seeds is 5; it must be a list"),
    ("defaults.seeds", [-1], "defaults.seeds[0] is -1; it must be at least 0"),
    ("defaults.training.epoch", 20, 'defaults.training.epoch is not a key; did you mean "epochs"?'),
    ("defaults.training.epochs", "20", 'defaults.training.epochs is "20" (text; write 20 without quotes)'),
    ("defaults.training.learning_rate", "1e-3", "write 0.001 without quotes"),
    ("defaults.training.schedule", "cos", 'schedule is "cos"; did you mean "cosine"? Known: constant, cosine, step'),
    ("defaults.training.schedule", "step", "training.schedule.step.epochs is missing; step has no default for it"),
    ("defaults.training.schedule", {"step": {"factor": 0.5}}, "training.schedule.step.epochs is missing"),
    ("defaults.training.optimiser", "adam", 'training.optimiser is "adam"; did you mean "adamw"? Known: adamw, sgd'),
    ("defaults.training.optimiser", {"adamw": {"beta": 1}}, 'adamw.beta is not an option; did you mean "betas"?'),
    ("defaults.training.optimiser", {"adamw": {"betas": [0.9]}}, "betas has 1 entry; it needs at least 2"),
    ("defaults.training.optimiser", {"sgd": {"momentum": 0.9}}, "training.optimiser.sgd.momentum is not an option"),
    ("defaults.training.augmentation", ["flip"], 'augmentation[0] is "flip"; Known: color_jitter, horizontal_flip'),
    ("defaults.training.augmentation", [{"rotation": {"degrees": 200}}], "augmentation[0].rotation.degrees is 200"),
    ("defaults.training.label_smoothing", 1, "label_smoothing is 1; it must be"),
    (
        "defaults.data.source",
        "cifar",
        'defaults.data.source is "cifar"; Known: arrays, breast_cancer, digits',
    ),
    ("defaults.data.noise.kind", "pair", 'noise.kind is "pair"; did you mean "pairs"?'),
    ("defaults.data.noise.rate", 1, "noise.rate is 1; it must be between 0 and 1"),
    ("defaults.model", "mpl", 'defaults.model is "mpl"; did you mean "mlp"?'),
    ("defaults.model", "torchvision", "model.torchvision.name is missing; torchvision has no default for it"),
    ("defaults.model", {"mlp": {"weights": "none.pt"}}, 'model.mlp.weights is "none.pt", which is in none of'),
    ("defaults.model", {"mlp": {"frozen": "1"}}, 'defaults.model.mlp.frozen is "1"'),
    ("defaults.model", "my_models:build", 'model is "my_models:build"; no such module beside'),
    ("defaults.checkpoints.early", 50, "checkpoints.early is 50; it must be at most training.epochs, which is"),
    ("defaults.ensembles", [{"kind": "seeds", "sizes": [5], "methods": ["random"]}], 'methods[0] is "random"'),
    ("defaults.ensembles", [{"kind": "seeds", "sizes": [5], "p_max": 0.1}], "p_max is an option of parameter_dropout"),
    ("defaults.ensembles", [{"kind": "seeds", "sizes": [0]}], "sizes[0] is 0; it must be above 0"),
    ("defaults.ensembles", [{"kind": "bags", "sizes": [5]}], 'ensembles[0].kind is "bags"'),
    ("definitions.digits", None, "definitions.digits is null; it must be a mapping"),
    (
        "definitions.mnist5k.data",
        {"noise": {"kind": "none"}},
        "oracle, which needs true labels: data.noise.kind is none",
    ),
    ("data_dir", "/nowhere/at/all", 'data_dir is "/nowhere/at/all"; there is no such folder'),
    ("keep_retrained", "yes", 'keep_retrained is "yes"; it must be true or false'),
]


@pytest.mark.parametrize(
    ("path", "value", "sentence"), MISTAKES, ids=[f"{path}={value}" for path, value, _ in MISTAKES]
)
def test_a_mistake_is_one_sentence(path: str, value: Any, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HEFT_DATA", raising=False)
    with pytest.raises(HeftError) as caught:
        load(changed(path, value))
    message = str(caught.value)
    assert sentence in message
    assert message.startswith("config.yaml: ") or message.startswith("data_dir")
    assert "\n" not in message


def test_an_ensemble_of_a_method_that_is_not_listed_says_what_to_do() -> None:
    with pytest.raises(HeftError, match='methods has "if_cg", which is not in the list methods; add it there'):
        load(changed("defaults.methods", ["ip", "loss"]))


def test_an_option_that_is_a_list_makes_a_variant_of_each_value() -> None:
    methods = ["ip", "loss", {"if_cg": {"damping": [0.01, 0.1], "tolerance": [0.01, 0.001]}}]
    scorers = load(changed("defaults.methods", methods)).experiments["mnist5k"].methods
    options = {slug: dict(scorer.options) for slug, scorer in scorers.items() if scorer.method == "if_cg"}
    assert options == {
        "if_cg-damping_0.01": {"damping": 0.01},
        "if_cg-damping_0.01-tolerance_0.001": {"damping": 0.01, "tolerance": 0.001},
        "if_cg": {},
        "if_cg-tolerance_0.001": {"tolerance": 0.001},
    }


def test_the_experiment_all_methods_holds_every_method() -> None:
    from heft.registry import declarations

    plan = load(changed("experiments", ["all_methods"]))
    assert {scorer.method for scorer in plan.experiments["all_methods"].methods.values()} == set(
        declarations("methods")
    )


def test_models_on_subsets_are_shared_by_all_that_ask_for_them() -> None:
    plan = load(changed("experiments", ["all_methods"]))
    experiment = plan.experiments["all_methods"]
    groups = {slug: groups_of(experiment, slug) for slug in ("trak", "trak-models_10", "ip")}
    assert groups == {"trak": {"subsets": [0]}, "trak-models_10": {"subsets": [0, 1]}, "ip": {}}
    assert kinds()["subsets"].numbers(1) == [5, 6, 7, 8, 9]


def test_further_models_of_an_action_are_asked_for_without_a_method_that_needs_them() -> None:
    for actions, groups in ((["remove", "relabel"], {"folds": [0]}), (["remove"], {})):
        raw = changed("definitions.digits", {"methods": ["random", "loss"], "ensembles": [], "actions": actions})
        assert all_groups(load(raw | {"experiments": ["digits"]}).experiments["digits"]) == groups


def test_fractions_that_are_the_noise_rate_count_once() -> None:
    plan = load(changed("defaults.fractions", [0.3, "noise_rate", 0.1]))
    assert plan.experiments["mnist5k"].fractions == [0.1, 0.3]


def test_a_definition_changes_only_the_keys_it_names() -> None:
    plan = load(changed("experiments", ["mnist5k_symmetric"]))
    data = plan.experiments["mnist5k_symmetric"].settings.data
    assert (data.noise.kind, data.noise.rate, data.train) == ("symmetric", 0.3, 3000)


def test_the_schema_knows_every_registered_method() -> None:
    from heft.registry import declarations

    names = schema()["$defs"]["ExperimentSettings"]["properties"]["methods"]["items"]["anyOf"][0]["anyOf"][0]["enum"]
    assert names == sorted(declarations("methods"))
