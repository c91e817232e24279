"""Which code each job runs: fingerprints of its script and of the declared files that it loads."""

from pathlib import Path

from heft.registry import declarations, find
from heft.workflow.configuration.named_keys import entries
from heft.workflow.configuration.persons_paths import persons_places
from heft.workflow.planning.auxiliary import files_of_kinds
from heft.workflow.planning.fingerprint import PACKAGE_ROOT
from heft.workflow.planning.plan import Plan

TEMPLATES = PACKAGE_ROOT / "heft/reporting/templates"
STYLE = TEMPLATES / "style.css"


def stage_code(
    plan: Plan, experiment: str, script: str, *files: Path, model: bool = False, training: bool = False
) -> dict[str, str]:
    """Fingerprint of a stage: its script, further files, the model's with `model`, those of the optimiser and the
    schedule with `training`, and all that these import."""
    of_model = model_files(plan, experiment) if model else []
    of_training = training_files(plan, experiment) if training else []
    return plan.look.fingerprint(PACKAGE_ROOT / f"{script}.py", *files, *of_model, *of_training)


def model_files(plan: Plan, experiment: str) -> list[Path]:
    """The file of the model, and that of the weights it starts from."""
    chosen = plan.model(experiment)
    return [find("models", chosen["name"]).file, *persons_places("models", **chosen)]


def training_files(plan: Plan, experiment: str) -> list[Path]:
    """The files of all that the settings of training name."""
    listed = entries(plan.experiments[experiment].settings)
    return [find(entry.key.room, entry.name).file for entry in listed if entry.key.path.startswith("training.")]


def source_files(plan: Plan, experiment: str) -> list[Path]:
    """The file of the data source; if it names no modality, those that the axes of its inputs may choose too."""
    file = find("data/sources", plan.experiments[experiment].source[0]).file
    room = "heft.data.modalities."
    named = any(name.startswith(room) and name != f"{room}declare" for name in plan.look.fingerprint(file))
    by_axes = [known.file for known in declarations("data/modalities").values() if known.fields["from_axes"]]
    return [file, *([] if named else by_axes)]


def scorer_files(plan: Plan, experiment: str, scorer: str) -> list[Path]:
    """The files of a scorer's method, its objective, its ensemble, and the further trained models that it asks for."""
    asking, _ = plan.experiments[experiment].scorers[scorer]
    objective = plan.objective(experiment, asking.method)
    of_objective = [find("objectives", objective["name"]).file] if objective else []
    return [find("methods", asking.method).file, *of_objective, *files_of_kinds(asking)]


def kind_files(kind: str) -> list[Path]:
    """The file of a kind of further trained models."""
    return [find("auxiliary", kind).file]


def baseline_files(plan: Plan, experiment: str, variant: str) -> list[Path]:
    """The file of a baseline."""
    return [find("baselines", plan.experiments[experiment].baselines[variant].method).file]


def action_files(plan: Plan, experiment: str, variant: str) -> list[Path]:
    """The files of the actions of a variant."""
    return [chosen.declaration.file for chosen in plan.chosen_actions(experiment, variant)]


def evaluation_files(plan: Plan, experiment: str) -> list[Path]:
    """The files of all registered measures and objectives, of the measure that the experiment is judged by, and of the
    objective that chooses in its place."""
    measure = find("evaluation/metrics", plan.measure(experiment)["name"])
    return [*plan.evaluated_with, measure.file, find("objectives", measure.fields["chosen_by"]).file]


def report_code(plan: Plan, experiment: str) -> dict[str, str]:
    """Fingerprint of the report, the files of the legend and of the templates included."""
    reported = plan.experiments[experiment]
    files = [find("methods", name).file for name in sorted({scorer.method for scorer in reported.methods.values()})]
    baselines = sorted({scorer.method for scorer in reported.baselines.values()})
    files += [find("baselines", name).file for name in baselines]
    files += [chosen.declaration.file for chosen in reported.actions]
    files += sorted({*TEMPLATES.glob("page.*"), STYLE})
    return plan.look.fingerprint(PACKAGE_ROOT / "report.py", *files, packages=("matplotlib", "seaborn", "pandas"))


def index_code(plan: Plan) -> dict[str, str]:
    """Fingerprint of the index of reports."""
    return plan.look.fingerprint(PACKAGE_ROOT / "index.py", TEMPLATES / "index.html.j2", STYLE, packages=())
