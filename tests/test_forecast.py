"""What `new` predicts of a run: jobs as Snakemake counts them, trainings as they go together, times the speeds."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from workspace import ROOT, TINY, Workspace

from heft.workflow.new_experiment import facts as looking
from heft.workflow.new_experiment.choice import Choice
from heft.workflow.new_experiment.facts import N_SAMPLE, Facts, facts_of
from heft.workflow.new_experiment.forecast import (
    JOB_SECONDS,
    PASSES_A_METHOD,
    RUN_SECONDS,
    Speeds,
    cpu_seconds,
    forecast,
    seconds_a_step,
)
from heft.workflow.new_experiment.kind import Kind
from heft.workflow.new_experiment.work import Work, work_of
from heft.workflow.planning.plan import load_plan

WORK = Work(seeds=3, jobs=130, trainings={1: 6, 5: 3, 3: 21}, scorings=21)
SPEEDS = Speeds({1: 0.001, 3: 0.002, 5: 0.004}, encoding=0.01)


def choice_of(n_train: int) -> Choice:
    training = {"epochs": 10, "batch_size": 100, "learning_rate": 0.1, "weight_decay": 0.0}
    return Choice({}, {}, n_train, None, "logistic", training)


def facts(n: int) -> Facts:
    return Facts(n, "features", [8], 32, {"a": n // 2, "b": n // 2}, {}, 0, False, [], [])


def test_the_work_of_a_plan_is_counted_as_snakemake_plans_it(tmp_path: Path) -> None:
    definition: dict[str, Any] = dict(TINY["definitions"]["small"])  # type: ignore[index]
    definition |= {"methods": ["random", "confident_learning", "ip"], "actions": ["remove", "relabel"]}
    definition |= {"baselines": ["finetuned"], "ensembles": [{"kind": "seeds", "sizes": [2], "methods": ["ip"]}]}
    settings = {**TINY, "definitions": {"small": definition}}
    jobs = [job for job in Workspace(tmp_path, settings).plan() if job.rule != "all"]
    plan = load_plan({**yaml.safe_load((ROOT / "config.yaml").read_text()), **settings}, [])
    work = work_of(plan, "small")
    assert work.jobs == len(jobs)
    of_each = [job.rule for job in jobs if job.rule in ("train", "baseline", "auxiliary", "retrain")]
    assert sum(work.trainings.values()) == len(of_each)
    assert work.trainings[plan.experiments["small"].n_plans] >= work.seeds * len(plan.experiments["small"].variants)
    assert work.scorings == work.seeds * (3 + 2)


@pytest.mark.parametrize(("n_train", "steps"), [(1000, 100), (10_050, 1010)])
def test_seconds_are_steps_of_what_is_trained_together_encodings_scores_and_jobs(n_train: int, steps: int) -> None:
    training = steps * (6 * 0.001 + 3 * 0.004 + 21 * 0.002)
    scoring = 21 * PASSES_A_METHOD * (steps / 10) * 0.001 / 3
    expected = 2 * n_train * 0.01 + training + scoring + 130 * JOB_SECONDS
    assert cpu_seconds(2 * n_train, choice_of(n_train), WORK, SPEEDS) == pytest.approx(expected)
    for cores in (1, 4):
        predicted = forecast(facts(2 * n_train), choice_of(n_train), WORK, SPEEDS, 384, cores)
        assert predicted.seconds == pytest.approx(RUN_SECONDS + expected / cores)


def test_a_step_is_tried_of_as_many_models_as_are_trained_together() -> None:
    seconds = seconds_a_step("logistic", [8], 2, 16, [3, 5])
    assert seconds.keys() == {1, 3, 5}
    assert all(value >= 0 for value in seconds.values())


def test_an_encoder_is_tried_on_inputs_from_all_over_the_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = "".join(f"a text that has number {row},{row // 500}\n" for row in range(1000))
    (tmp_path / "texts.csv").write_text(f"words,label\n{rows}")
    kind = Kind("text", {"path": str(tmp_path / "texts.csv"), "text": "words", "label": "label"})
    numbers = [int(text.rsplit(" ", 1)[1]) for text in facts_of(kind).sample]
    assert len(numbers) == N_SAMPLE
    assert all(abs(number - place * 1000 / N_SAMPLE) < 2 for place, number in enumerate(numbers))
    monkeypatch.setattr(looking, "LONGEST_LOOK", -1.0)
    assert len(facts_of(kind).sample) == 1
