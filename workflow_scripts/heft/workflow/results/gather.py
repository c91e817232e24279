"""Collects what a report needs from the files of all seeds."""

import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from heft.artifacts import read_json, read_parquet
from heft.auxiliary.validation_labels import readers_of_validation_labels
from heft.data.duplicates import sentence_of
from heft.data.inputs import ChosenRows, InputsFile
from heft.data.modalities.declare import Modality, read_back
from heft.data.trust import sentence_on_trust
from heft.evaluation.columns import COLUMNS, KEY
from heft.evaluation.statistics import rank_agreement
from heft.pseudonyms import with_pseudonyms
from heft.reporting.inputs import AGREEMENT_COLUMNS, ReportInput, SplitFacts, TrainingExamples, Warned
from heft.workflow.results.declared import actions_of, measure_of, used_declarations
from heft.workflow.results.report_files import Sources
from heft.workflow.tracking.records import commit_tags

SHOWN_PACKAGES = ("torch", "torchvision", "numpy", "pandas", "scikit-learn", "snakemake", "mlflow", "seaborn")


# longer: the list of what a report is made of
def gather(sources: Sources) -> ReportInput:
    """The report's input; a file that is listed must be there."""
    evaluations = [read_json(file) for file in sources.metrics]
    rows = [row for evaluation in evaluations for row in evaluation["rows"]]
    facts, manifest = read_json(next(iter(sources.facts.values()))), read_json(sources.manifest)
    used = {row["method"] for row in rows} | {cell.method for cell in sources.missing}
    configuration = sources.configuration
    scores = {seed: _scores(sources, seed) for seed in sources.train}
    methods = used_declarations("methods", configuration["methods"], used)
    baselines = used_declarations("baselines", configuration["baselines"], used)
    return ReportInput(
        experiment=sources.experiment,
        comparison=pd.DataFrame(rows, columns=list(COLUMNS)),
        long_metrics=pd.DataFrame(
            [entry for evaluation in evaluations for entry in evaluation["long"]], columns=[*KEY, "metric", "value"]
        ),
        measure=measure_of(configuration["measure"]),
        actions=actions_of(sources.actions),
        history=pd.concat([read_parquet(file).assign(seed=seed) for seed, file in sources.history.items()]),
        precision_recall=_together(_curves(evaluations), ("seed", "variant", "recall", "precision")),
        split=SplitFacts(
            facts["n"],
            facts["noise"],
            share_of_wrong_labels(facts, manifest),
            facts["resample"],
            sentence_of(facts, manifest["class_names"]),
            facts["notes"],
            sentence_on_trust(facts, readers_of_validation_labels(methods.values(), baselines.values())),
            sentence_of(with_pseudonyms(facts), manifest["class_names"]),
            facts["shared_notes"],
        ),
        manifest=manifest | ({"encoder": read_json(sources.encoded)["encoder"]} if sources.encoded else {}),
        methods=methods,
        baselines=baselines,
        agreement=_together(
            (rank_agreement(table.drop(columns="id")).assign(seed=seed) for seed, table in scores.items()),
            AGREEMENT_COLUMNS,
        ),
        configuration=yaml.safe_dump(dict(configuration), sort_keys=False, allow_unicode=True),
        commit=commit_tags().get("mlflow.source.git.commit", "unknown"),
        versions={"python": platform.python_version(), **{package: version(package) for package in SHOWN_PACKAGES}},
        machine=machine(),
        training=_training_examples(sources, scores, read_back(manifest["modality"])),
        show_examples=configuration["show_examples"],
        warnings=[
            Warned(evaluation["rows"][0]["seed"], evaluation["rows"][0]["variant"], sentence)
            for evaluation in evaluations
            for sentence in evaluation["warnings"]
        ],
        missing=sources.missing,
    )


def share_of_wrong_labels(facts: Mapping[str, Any], manifest: Mapping[str, Any]) -> float | None:
    """Of the training labels, as planted or as counted where the source knows them; None where nobody knows."""
    if facts["n_wrong"] is None:
        return None
    counted: float = facts["n_wrong"] / facts["n"]["train"]
    return counted if manifest["true_labels"] else facts["rate"]


def machine() -> dict[str, str]:
    """What the machine is, as far as it matters for costs."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processors": str(os.cpu_count()),
        "threads per job": "1",
    }


def _curves(evaluations: list[dict[str, Any]]) -> Iterator[pd.DataFrame]:
    for evaluation in evaluations:
        if evaluation["precision_recall"]:
            first = evaluation["rows"][0]
            yield pd.DataFrame(evaluation["precision_recall"]).assign(seed=first["seed"], variant=first["variant"])


def _together(tables: Iterator[pd.DataFrame], columns: Sequence[str]) -> pd.DataFrame:
    filled = [table[list(columns)] for table in tables if len(table)]
    return pd.concat(filled, ignore_index=True) if filled else pd.DataFrame(columns=list(columns))


def _scores(sources: Sources, seed: int) -> pd.DataFrame:
    """The id of every training example of a seed, and a column of scores for each variant."""
    scores = read_parquet(sources.train[seed])[["id"]]
    for file in sources.scores.get(seed, ()):
        table = read_parquet(file).rename(columns={"score": Path(file).stem})
        scores = scores.merge(table, on="id", how="left", validate="one_to_one")
    return scores


def _training_examples(sources: Sources, scores: Mapping[int, pd.DataFrame], modality: Modality) -> TrainingExamples:
    """Those of the seed that most variants are scored for, the first of equals."""
    seed = max(scores, key=lambda seed: scores[seed].shape[1])
    train = read_parquet(sources.train[seed])
    rows = train["row"].to_numpy()
    file = InputsFile(sources.inputs)
    inputs = ChosenRows(file, rows) if modality.shows_alone else file.verified(rows)[rows]
    columns = [name for name in ("id", "label", "true_label") if name in train]
    return TrainingExamples(seed, train[columns], scores[seed], inputs, modality)
