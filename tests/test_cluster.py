"""Every rule says what a cluster asks of it; small jobs go together; what belongs to the project stays where it is."""

import copy
import re
from pathlib import Path

import pytest
from made_once import copy_of, finished_run
from test_config import changed, load
from workspace import ROOT, SMALL, TINY, Workspace

from heft.errors import HeftError

RULES = {
    match[1]: block
    for file in sorted((ROOT / "rules").glob("*.smk"))
    for block in re.split(r"(?m)^(?=rule )", file.read_text(encoding="utf-8"))
    if (match := re.match(r"rule (\w+):", block))
}
SEVERAL_THREADS = {"prepare", "encode"}  # each of their threads reads, or encodes, examples of its own
WITH_WORKERS = {"train", "auxiliary", "retrain", "baseline"}  # whose workers compute what the job itself would
HERE = {"deliver", "index", "tidy", "tidy_now", "unreadable"}  # these act on the project, or only say a sentence


def test_all_rules_are_read() -> None:
    assert len(RULES) == len(
        re.findall(r"(?m)^rule ", "".join(file.read_text() for file in (ROOT / "rules").glob("*.smk")))
    )
    assert set(RULES) >= HERE


@pytest.mark.parametrize("rule", sorted(set(RULES) - HERE))
def test_a_rule_takes_one_thread_where_their_number_changes_bits_and_says_its_memory_and_time(rule: str) -> None:
    assert ("\n    threads: 1\n" in RULES[rule]) == (rule not in SEVERAL_THREADS | WITH_WORKERS)
    assert ("\n    threads: training_threads\n" in RULES[rule]) == (rule in WITH_WORKERS)
    assert re.search(r"\n    resources:\n        mem_mb=\d+,\n        runtime=\d+,\n", RULES[rule])


def test_what_acts_on_the_project_never_leaves_this_machine() -> None:
    assert {rule for rule, block in RULES.items() if "\n    localrule: True\n" in block} == HERE


def test_a_variants_small_jobs_are_one_job_of_a_cluster_and_a_refused_model_is_none_of_them() -> None:
    groups = {rule: re.search(r"group:\n        \"(\w+)\"", block) for rule, block in RULES.items()}
    grouped = {rule: group[1] for rule, group in groups.items() if group}
    assert {rule for rule, group in grouped.items() if group == "variant"} == {
        "score",
        "prune",
        "retrain",
        "baseline",
        "evaluate",
    }
    assert "check_model" not in grouped  # its failure is that of one experiment alone


@pytest.mark.slow
def test_the_settings_of_the_readme_raise_the_memory_of_the_jobs_that_they_name(tmp_path: Path) -> None:
    settings = re.findall(r"`--set-resources ([^`]*)`", (ROOT / "README.md").read_text(encoding="utf-8"))[0].split()
    printed = Workspace(tmp_path, TINY).run("-n", "--set-resources", *settings)
    for setting in settings:
        rule, resource, value = re.split("[:=]", setting)
        blocks = re.split(r"\n(?= *(?:local)?rule \w+:)", printed)  # what stands in a group is indented
        jobs = [block for block in blocks if block.lstrip().startswith(f"rule {rule}:")]
        assert jobs
        assert all(f"{resource}={value}" in job for job in jobs)


def test_a_job_that_trains_is_told_its_workers_by_its_threads_and_by_no_parameter() -> None:
    plan = load(changed("defaults.training.workers", 3))
    assert plan.experiments["mnist5k"].settings.training.workers == 3
    assert "workers" not in {**plan.training("mnist5k"), **plan.settings("mnist5k")["training"]}
    with pytest.raises(HeftError, match=r"defaults.training.workers is -1"):
        load(changed("defaults.training.workers", -1))


@pytest.mark.slow
def test_another_number_of_workers_reruns_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    finished, _ = finished_run(tmp_path_factory, "small")
    workspace, settings = copy_of(finished, tmp_path_factory.mktemp("workers") / "copy"), copy.deepcopy(SMALL)
    settings["definitions"]["small"]["training"]["workers"] = 3
    workspace.configure(settings)
    assert workspace.plan() == []
