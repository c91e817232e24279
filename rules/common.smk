"""Plans what the configuration asks for, keeps one run at a time, and starts what accompanies a run."""

import re
import shlex
import sys
from functools import cache
from pathlib import Path

from snakemake.script import PythonScript

from heft.errors import HeftError
from heft.faults import sentence_of
from heft.workflow.configuration.given_predictions import are_given
from heft.workflow.housekeeping.configurations import label_of, note_made
from heft.workflow.housekeeping.unplanned import planned_names
from heft.auxiliary.kinds import kind_named
from heft.workflow.planning import auxiliary, encoding, paths
from heft.workflow.planning.code import action_files, baseline_files, evaluation_files
from heft.workflow.planning.code import index_code, kind_files, report_code
from heft.workflow.planning.code import scorer_files, source_files, stage_code
from heft.workflow.planning.disk_space import check_disk_space
from heft.workflow.planning.held_out import HeldOut, given_for
from heft.workflow.planning.plan import load_plan
from heft.workflow.planning.source_files import file_of_predictions, state_of_files
from heft.workflow.planning.source_files import state_of_predictions, state_of_weights
from heft.workflow.runtime.gpu import gpus_of_a_job
from heft.workflow.runtime.launch import command
from heft.workflow.runtime.partial_report import report_what_is_there, watch_failures
from heft.workflow.runtime.session import Session, lift_default_rate
from heft.workflow.runtime.spoiled import go_on_without_spoiled
from heft.workflow.runtime.writable import check_places, check_writable

try:
    check_places()
    config.clear()
    config.update(sources.whole)
    # Not a setting of an experiment: what `tidy_now` may remove though another configuration made it.
    confirm = config.pop("confirm", None)
    plan = load_plan(
        config, [Path(file) for file in workflow.configfiles], sources.file_of
    )
except HeftError as error:
    sys.exit(str(error))


def start_script(self, script, edit=False):
    """Starts a job's script through `job.py`; Snakemake's own way breaks on a space in the interpreter's path."""
    words = command(self.rulename, self.log, script, self.resources)
    self._execute_cmd("{command}", command=shlex.join(words))


PythonScript.execute_script = start_script
session = Session(plan.reports)
failed_jobs = watch_failures()
if workflow.is_main_process and not workflow.output_settings.dryrun:
    session.heed_snakemake()


VARIANT = r"[A-Za-z0-9_.\-]+"


def any_of(names):
    """Pattern of some names; one that matches nothing where there are none."""
    return "|".join(map(re.escape, names)) or "(?!)"


wildcard_constraints:
    e="[a-z0-9_]+",
    s="[0-9]+",
    m=r"[A-Za-z0-9_.\-]+",
    v=VARIANT,
    g="[0-9]+",
    n="[0-9]+",
    kind=paths.KIND,


@cache
def seen_files(experiment):
    """What tells the state of a person's files, looked at once a run: Snakemake asks for it several times."""
    return state_of_files(plan, experiment)


def planned_experiments():
    """Pattern of the names of the experiments that this run works on; one that matches nothing where there are none."""
    return "|".join(map(re.escape, plan.experiments)) or "(?!)"


def code(script, files=None, model=False, training=False):
    """A params function: the fingerprint of the code that a job runs, of `files(wildcards)`, of the model and of what
    `training` names included."""
    return lambda wildcards: stage_code(
        plan,
        wildcards.e,
        script,
        *(files(wildcards) if files else []),
        model=model,
        training=training,
    )


def device(wildcards):
    """The name of what an experiment is computed on, and the precision of its trainings there."""
    settings = plan.experiments[wildcards.e].settings
    return {"name": settings.device, "precision": settings.precision}


def gpus(wildcards):
    """How many GPUs a job that computes asks for."""
    return gpus_of_a_job(device(wildcards)["name"])


def training_threads(wildcards):
    """One for a job that trains, and one for each worker; a job that gets fewer has fewer workers."""
    return 1 + plan.experiments[wildcards.e].settings.training.workers


def seen(file):
    """An input function: a file of what models see, the data set or features of it."""
    return lambda wildcards: encoding.seen(plan, wildcards.e, file)


def kind_of(wildcards):
    """The kind of further trained models whose name in a path the wildcard is."""
    return paths.kind_named_in(wildcards.kind)


def auxiliary_files(wildcards):
    """The files of the further trained models that a scorer needs."""
    groups = auxiliary.groups_of(plan.experiments[wildcards.e], wildcards.m)
    return auxiliary.files_of(groups, wildcards.e, wildcards.s)


def dynamics(wildcards):
    """What was recorded of each epoch, of every run that a scorer needs it of."""
    return auxiliary.dynamics_files(
        plan.experiments[wildcards.e], wildcards.m, wildcards.s
    )


def continued(wildcards):
    """The checkpoints of the runs that a group of further models goes on from."""
    return auxiliary.continued_files(
        wildcards.e, wildcards.s, kind_of(wildcards), int(wildcards.g)
    )


def scorer_of(wildcards):
    return plan.experiments[wildcards.e].variants[wildcards.v].scorer.slug


def scores_of(suffix):
    """An input function: a file of the variant's scores; nothing for the unpruned variant."""
    return lambda wildcards: (
        []
        if wildcards.v in plan.unscored(wildcards.e)
        else f"results/{wildcards.e}/seed{wildcards.s}/scores/{wildcards.v}{suffix}"
    )


def held_out(pattern):
    """A params function: {action: {need: file}} of the further models that the variant's actions need."""
    return lambda wildcards: plan.held_out(
        pattern, wildcards.e, wildcards.v, wildcards.s
    )


def held_out_files(pattern):
    """An input function: the same files, each once."""

    def files(wildcards):
        by_action = held_out(pattern)(wildcards)
        return sorted({file for named in by_action.values() for file in named.values()})

    return files


def held_out_models(wildcards):
    """The files of the further models that an action's probabilities are of."""
    held_out = HeldOut(kind_of(wildcards), int(wildcards.n))
    groups = held_out.groups(plan.experiments[wildcards.e])
    return auxiliary.files_of(groups, wildcards.e, wildcards.s)


@cache
def seen_predictions(experiment, seed, held_out):
    """A person's file of predictions with what tells its state; empty where models are trained for them."""
    if not are_given(plan.experiments[experiment].settings.data, held_out.kind):
        return {}
    state = state_of_predictions(plan, experiment, seed, held_out)
    return {"file": file_of_predictions(plan, experiment), "state": state}


def predictions(wildcards):
    """The same of the models that a job asks after."""
    held_out = HeldOut(kind_of(wildcards), int(wildcards.n))
    return seen_predictions(wildcards.e, wildcards.s, held_out)


def given_probabilities(wildcards):
    """The probabilities that a scorer reads in the place of models, where a person gives some."""
    experiment = plan.experiments[wildcards.e]
    given = given_for(experiment, experiment.scorers[wildcards.m][0])
    return [
        held_out.file(paths.OUT_OF_FOLD, wildcards.e, wildcards.s) for held_out in given
    ]


def unless_kept(file):
    return file if plan.configuration.keep_retrained else temp(file)


def of_each_seed(file):
    """An input function: a file of every seed."""
    return lambda wildcards: expand(
        f"results/{wildcards.e}/seed{{s}}/{file}",
        s=plan.experiments[wildcards.e].settings.seeds,
    )


def of_each_variant(wildcards):
    seeds, variants = plan.experiments[wildcards.e].settings.seeds, plan.variants(
        wildcards.e
    )
    return expand(
        f"results/{wildcards.e}/seed{{s}}/metrics/{{v}}.json", s=seeds, v=variants
    )


def scores_of_each_seed(wildcards):
    return expand(
        f"results/{wildcards.e}/seed{{s}}/scores/{{v}}.parquet",
        s=plan.experiments[wildcards.e].settings.seeds,
        v=plan.experiments[wildcards.e].variants,
    )


def whole_plan():
    """The plan of all definitions, selected or not."""
    everything = {**config, "experiments": list(config["definitions"])}
    try:
        whole = load_plan(everything, [Path(file) for file in workflow.configfiles])
    except HeftError as error:
        sys.exit(str(error))
    for sentence in whole.spoiled.values():  # what it asks for is not known
        sys.exit(sentence)
    return whole


def configuration_label():
    """What selects this configuration on the command line."""
    return label_of(workflow.configfiles, workflow.config_settings.config)


def shapes():
    """The paths of all outputs and logs of the rules, with wildcards in braces."""
    files = []
    for declared in workflow.rules:
        for output in declared.output:
            files.append(f"{output}/{{file}}" if output.is_directory else str(output))
        files += map(str, declared.log)
    # Snakemake writes a wildcard's constraint into its braces.
    return [re.sub(r"{(\w+),[^}]*}", r"{\1}", file) for file in files]


def only_housekeeping():
    """Whether nothing but housekeeping is to be done, which nothing accompanies."""
    return {job.rule.name for job in workflow.dag.needrun_jobs()} <= {
        "deliver",
        "tidy",
        "tidy_now",
    }


onstart:
    try:
        check_writable()
        session.lock()
    except (HeftError, OSError) as error:
        sys.exit(sentence_of(error) or str(error))
    session.stopping.listen()
    lift_default_rate(workflow.scheduler)
    go_on_without_spoiled(workflow.scheduler)
    if not only_housekeeping():
        session.start(local=workflow.local_exec)
        try:
            note_made(configuration_label(), planned_names(plan))
            check_disk_space(plan, workflow.cores)
        except HeftError as error:
            session.finish(failed=True)
            sys.exit(str(error))


onsuccess:
    session.finish()


onerror:
    session.finish(failed=True)
    report_what_is_there(plan, workflow.dag, failed_jobs)
