"""Collects what a report needs from the files of all seeds."""

import os
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from heft.artifacts import read_json, read_parquet
from heft.comparison import COLUMNS, KEY
from heft.data.inputs import read_inputs
from heft.records import commit_tags
from heft.registry import declarations
from heft.reporting.inputs import ReportInput, SplitFacts, TrainingExamples

SHOWN_PACKAGES = ("torch", "torchvision", "numpy", "pandas", "scikit-learn", "snakemake", "mlflow", "seaborn")


def gather(job: Any) -> ReportInput:
    """The report's input from the files of a `report` job (Snakemake's `snakemake` object)."""
    configuration = job.params.configuration
    seeds = configuration["seeds"]
    evaluated = [read_json(file) for file in job.input.metrics]
    rows = [row for one in evaluated for row in one["rows"]]
    facts = read_json(job.input.facts[0])
    used = {row["method"] for row in rows}
    return ReportInput(
        experiment=job.wildcards.e,
        comparison=pd.DataFrame(rows, columns=list(COLUMNS)),
        long_metrics=pd.DataFrame(
            [entry for one in evaluated for entry in one["long"]], columns=[*KEY, "metric", "value"]
        ),
        history=pd.concat(
            [read_parquet(file).assign(seed=seed) for file, seed in zip(job.input.history, seeds, strict=True)]
        ),
        precision_recall=_curves(evaluated),
        split=SplitFacts(
            facts["n"], facts["noise"], facts["rate"] if facts["noise"] != "none" else None, facts["resample"]
        ),
        manifest=read_json(job.input.manifest),
        methods={name: found for name, found in declarations("methods").items() if name in used},
        configuration=yaml.safe_dump(configuration, sort_keys=False, allow_unicode=True),
        commit=commit_tags().get("mlflow.source.git.commit", "unknown"),
        versions={"python": platform.python_version(), **{package: version(package) for package in SHOWN_PACKAGES}},
        machine=machine(),
        training=_training_examples(job, seeds[0]),
    )


def machine() -> dict[str, str]:
    """What the machine is, as far as it matters for costs."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processors": str(os.cpu_count()),
        "threads per job": "1",
    }


def _curves(evaluated: list[dict[str, Any]]) -> pd.DataFrame:
    found = [
        pd.DataFrame(one["precision_recall"]).assign(seed=one["rows"][0]["seed"], variant=one["rows"][0]["variant"])
        for one in evaluated
        if one["precision_recall"]
    ]
    return (
        pd.concat(found, ignore_index=True)
        if found
        else pd.DataFrame(columns=["seed", "variant", "recall", "precision"])
    )


def _training_examples(job: Any, seed: int) -> TrainingExamples:
    train = read_parquet(job.input.train[0])
    scores = train[["id"]]
    for file in job.input.scores:
        table = read_parquet(file).rename(columns={"score": Path(file).stem})
        scores = scores.merge(table, on="id", how="left", validate="one_to_one")
    inputs = read_inputs(job.input.inputs)[train["row"].to_numpy()]
    display = read_json(job.input.manifest)["display"]
    return TrainingExamples(seed, train[["id", "label", "true_label"]], scores, inputs, display)
