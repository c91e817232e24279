"""Plans what the configuration asks for, keeps one run at a time, and starts what accompanies a run."""

import re
import shlex
import sys
from pathlib import Path

from snakemake.script import PythonScript

from heft.errors import HeftError
from heft.faults import sentence_of
from heft.workflow.housekeeping.configurations import label_of, note_made
from heft.workflow.housekeeping.unplanned import planned_names
from heft.workflow.planning.disk_space import check_disk_space
from heft.workflow.planning.plan import load_plan
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


def baselines():
    """Pattern of the baselines' slugs; one that matches nothing where there are none."""
    return "|".join(map(re.escape, plan.baselines)) or "(?!)"


wildcard_constraints:
    e="[a-z0-9_]+",
    s="[0-9]+",
    m=r"[A-Za-z0-9_.\-]+",
    v=VARIANT,
    g="[0-9]+",
    kind="seeds|folds|subsets|fine_tunes",


def code(script, method=None, model=False, baseline=False):
    """A params function: the fingerprint of the code that a job of this experiment runs."""
    return lambda wildcards: plan.code(
        wildcards.e,
        script,
        method(wildcards) if method else "",
        model,
        wildcards.v if baseline else "",
    )


def member_files(kind, *names):
    """An input function: files of the further trained models of a kind that a scorer needs."""
    return lambda wildcards: expand(
        f"results/{wildcards.e}/seed{wildcards.s}/members/{kind}/group{{g}}/{{name}}",
        g=plan.member_groups(wildcards.e, wildcards.m, kind),
        name=names or ("checkpoints.json", "states.safetensors"),
    )


def dynamics(wildcards):
    """What was recorded of each epoch, of every run that a scorer needs it of."""
    if not plan.needs_dynamics(wildcards.e, wildcards.m):
        return []
    recorded = (
        f"results/{wildcards.e}/seed{wildcards.s}/train/training_dynamics.parquet"
    )
    return [recorded, *member_files("seeds", "training_dynamics.parquet")(wildcards)]


def tuned_model(wildcards):
    """The checkpoints of the run that a member of the kind `fine_tunes` continues."""
    folder = f"results/{wildcards.e}/seed{wildcards.s}"
    if wildcards.kind != "fine_tunes":
        return []
    group = plan.group_of(int(wildcards.g))
    run = f"members/seeds/group{group}" if int(wildcards.g) else "checkpoints"
    return [
        f"{folder}/{run}/{name}" for name in ("checkpoints.json", "states.safetensors")
    ]


def scorer_of(wildcards):
    return plan.experiments[wildcards.e].variants[wildcards.v].scorer.slug


def scores_of(suffix):
    """An input function: a file of the variant's scores; nothing for the unpruned variant."""
    return lambda wildcards: (
        []
        if wildcards.v in plan.unscored(wildcards.e)
        else f"results/{wildcards.e}/seed{wildcards.s}/scores/{wildcards.v}{suffix}"
    )


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
    found = []
    for one in workflow.rules:
        for output in one.output:
            found.append(f"{output}/{{file}}" if output.is_directory else str(output))
        found += map(str, one.log)
    # Snakemake writes a wildcard's constraint into its braces.
    return [re.sub(r"{(\w+),[^}]*}", r"{\1}", shape) for shape in found]


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
