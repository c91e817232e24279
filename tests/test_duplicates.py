"""Identical examples with different labels are listed: in the facts, the record, the log and the report."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from stage_job import Job

from heft.artifacts import read_json, write_json, write_parquet
from heft.data.duplicates import conflicting_duplicates, sentence_of
from heft.data.input_writer import write_inputs
from heft.data.settings import DataSettings, NoiseSettings
from heft.data.split import draw_split
from heft.errors import HeftError
from heft.workflow.tracking.records import read_events

CLASSES = ["cat", "dog"]


def examples_of(contents: str, labels: list[int]) -> pd.DataFrame:
    """One example a letter of `contents`, identical where the letter is; ids count down."""
    ids = [f"x{len(labels) - row:02d}" for row in range(len(labels))]
    return pd.DataFrame({"id": ids, "row": range(len(labels)), "content_hash": list(contents), "label": labels})


def test_groups_are_those_whose_labels_differ_with_the_one_that_takes_part_first() -> None:
    examples = examples_of("ababccde", [0, 1, 1, 1, 0, 1, 0, 0])
    assert conflicting_duplicates(examples) == [
        {"ids": ["x03", "x04"], "labels": [1, 0]},
        {"ids": ["x06", "x08"], "labels": [1, 0]},
    ]
    assert conflicting_duplicates(examples_of("aab", [0, 0, 1])) == []
    settings = DataSettings(train=2, validation=2, test=2, noise=NoiseSettings("none"))
    many = pd.concat([examples, examples_of("fghijk", [0, 1] * 3).assign(id=[f"y{row}" for row in range(6)])])
    many["row"] = range(len(many))
    drawn = pd.concat(draw_split(many, np.zeros((14, 1, 1, 1)), settings, 0).values())
    assert not {"x04", "x08"} & set(drawn["id"])


def test_the_sentence_counts_all_and_shows_the_first() -> None:
    assert sentence_of([], CLASSES) == ""
    pair = {"ids": ["a", "b"], "labels": [0, 1]}
    single = sentence_of([pair], CLASSES)
    assert single.startswith("1 group of")
    assert ": a (cat) = b (dog). Of each" in single
    several = sentence_of([{"ids": list("abcdef"), "labels": [0, 1] * 3}] * 1200, CLASSES)
    assert several.startswith("1,200 groups of")
    assert several.count("a (cat) = b (dog) = c (cat) = ...") == 3
    assert "and so on. Of each" in several


def split_of(examples: pd.DataFrame, class_names: list[str]) -> None:
    """Runs the stage `split` in the working folder."""
    write_parquet("examples.parquet", examples)
    write_inputs("inputs.safetensors", np.ones((len(examples), 1, 1, 1), np.float32))
    known = {"source": "s", "dataset_digest": "d", "origin": "o", "modality": {"name": "images"}, "personal": True}
    write_json("manifest.json", {"class_names": class_names, **known})
    settings = DataSettings(train=6, validation=3, test=3, noise=NoiseSettings("none"))
    files = {"examples": "examples.parquet", "inputs": "inputs.safetensors", "manifest": "manifest.json"}
    made = {"train": "a", "validation": "b", "test": "c", "facts": "facts.json", "transform": "transform.json"}
    job = Job(Path(), "split", files, made, {"data": {**vars(settings), "noise": vars(settings.noise)}}, s="0")
    own = {"data": {"train": 6, "validation": 3, "test": 3}, "methods": ["loss", "ip"], "fractions": [0.5]}
    job.config = {"experiments": ["mine"], "definitions": {"mine": own}}
    job.run()


def test_the_stage_split_lists_them_in_facts_record_and_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    split_of(examples_of("aabcdefghijklm", [0, 1] * 7), CLASSES)
    assert read_json("facts.json")["conflicting_duplicates"] == [{"ids": ["x13", "x14"], "labels": [1, 0]}]
    events = read_events("split.0.record.jsonl")
    values = [value for event in events for value in event.get("values", {}).items()]
    assert ("n_conflicting_duplicates", 1) in values
    assert [event["path"] for event in events if event["event"] == "artifact"] == ["facts.json"]
    assert Path("split.log").read_text().startswith("1 group of identical examples with different labels: x13 (dog)")


def test_the_stage_split_refuses_a_declared_class_without_examples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HeftError, match=r"^data: class 2 \(cow\) has no examples that take part; leave"):
        split_of(examples_of("abcdefghijklmn", [0, 1] * 7), [*CLASSES, "cow"])
