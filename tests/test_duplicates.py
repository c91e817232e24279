"""Identical examples: one takes part, or all do, in one split; those with different labels are listed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from stage_job import Job

from heft.artifacts import read_json, write_json, write_parquet
from heft.data.duplicates import conflicting_duplicates, sentence_of
from heft.data.input_writer import write_inputs
from heft.data.settings import DataSettings, NoiseSettings
from heft.data.split import draw_split
from heft.data.split_facts import split_facts
from heft.errors import HeftError
from heft.registry import declarations
from heft.workflow.tracking.records import read_events

CLASSES = ["cat", "dog"]


def examples_of(contents: str, labels: list[int]) -> pd.DataFrame:
    """One example a letter of `contents`, identical where the letter is; ids count down."""
    ids = [f"x{len(labels) - row:02d}" for row in range(len(labels))]
    return pd.DataFrame({"id": ids, "row": range(len(labels)), "content_hash": list(contents), "label": labels})


def listed(groups: list[dict[str, Any]], taking_part: str = "one") -> dict[str, Any]:
    return {"conflicting_duplicates": groups, "duplicates": {"taking_part": taking_part}}


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
    assert sentence_of(listed([]), CLASSES) == ""
    pair = {"ids": ["a", "b"], "labels": [0, 1]}
    single = sentence_of(listed([pair]), CLASSES)
    assert single.startswith("1 group of")
    assert ": a (cat) = b (dog). Of each group one alone takes part; facts.json" in single
    together = sentence_of(listed([pair], "together"), CLASSES)
    assert ". That alone leaves none out: a label is wrong, or their inputs do not tell the class; " in together
    several = sentence_of(listed([{"ids": list("abcdef"), "labels": [0, 1] * 3}] * 1200), CLASSES)
    assert several.startswith("1,200 groups of")
    assert several.count("a (cat) = b (dog) = c (cat) = ...") == 3
    assert "and so on. Of each" in several


TOGETHER = DataSettings(train=0.6, validation=0.2, test=0.2, noise=NoiseSettings("none"), duplicates="together")


def people(n: int = 3000, n_alike: int = 300) -> pd.DataFrame:
    """`n` examples of which `n_alike` sets hold the same, 2 to 6 each; a quarter is of class 1."""
    generator = np.random.default_rng(0)
    sizes = generator.integers(2, 7, n_alike)
    contents = [*np.repeat(np.arange(n_alike), sizes), *range(n_alike, n_alike + n - sizes.sum())]
    labels = (generator.random(n) < 0.25).astype(int).tolist()
    examples = examples_of("x" * n, labels).assign(content_hash=[str(content) for content in contents])
    return examples.assign(id=[f"p{row:05d}" for row in range(n)])


@pytest.mark.parametrize("seed", range(3))
def test_all_that_are_alike_take_part_in_one_split_and_sizes_and_classes_are_met(seed: int) -> None:
    examples = people()
    splits = draw_split(examples, np.zeros((3000, 1)), TOGETHER, seed)
    assert sorted(pd.concat(splits.values())["id"]) == sorted(examples["id"])
    contents = examples.set_index("id")["content_hash"]
    found = {name: set(contents[split["id"]]) for name, split in splits.items()}
    assert (
        not found["train"] & found["validation"] | found["train"] & found["test"] | found["validation"] & found["test"]
    )
    assert {name: len(split) for name, split in splits.items()} == {"test": 600, "validation": 600, "train": 1800}
    for split in splits.values():
        assert abs(split["label"].mean() - examples["label"].mean()) < 0.002
    facts = split_facts(examples, splits, TOGETHER, seed, CLASSES)
    n_copies = 3000 - examples["content_hash"].nunique()
    assert facts["duplicates"] == {"taking_part": "together", "n_copies": n_copies, "n_left_out": 0}
    assert facts["notes"] == [
        f"{n_copies} examples repeat the content of another one; that alone leaves none of them out (data.duplicates: "
        "together). Identical ones stay in one split."
    ]
    assert {tuple(group["labels"]) for group in facts["conflicting_duplicates"]} > {(0, 1), (1, 0)}


def test_each_of_ten_classes_has_its_share_though_there_are_hundreds_of_kinds_of_sets() -> None:
    examples = people(6000, 1000)
    examples["label"] = np.random.default_rng(1).integers(0, 10, 6000)
    splits = draw_split(examples, np.zeros((6000, 1)), TOGETHER, 0)
    assert {name: len(split) for name, split in splits.items()} == {"test": 1200, "validation": 1200, "train": 3600}
    shares = examples["label"].value_counts() / 6000
    for split in splits.values():
        assert (abs(split["label"].value_counts() - shares * len(split)) < 2).all()


def test_one_of_those_that_are_alike_takes_part_and_the_facts_count_the_others() -> None:
    examples, one = people(), replace(TOGETHER, duplicates="one")
    n = examples["content_hash"].nunique()
    splits = draw_split(examples, np.zeros((3000, 1)), one, 0)
    assert sum(map(len, splits.values())) == n
    facts = split_facts(examples, splits, one, 0, CLASSES)
    assert facts["duplicates"] == {"taking_part": "one", "n_copies": 3000 - n, "n_left_out": 3000 - n}
    assert f"of which {3000 - n} take no part for that (data.duplicates: one)." in facts["notes"][0]


def test_every_copy_of_what_an_own_test_split_holds_is_left_out_of_training() -> None:
    examples = examples_of("aaabbbcdefghij", [0, 1] * 7)  # x14 is the first
    examples["split"] = ["test", "train", "train", "train", "train", "train", *["train", "test"] * 4]
    own = replace(TOGETHER, train="rest", validation=2, test="rest")
    splits = draw_split(examples, np.zeros((14, 1)), own, 0)
    trained = {*splits["train"]["id"], *splits["validation"]["id"]}
    assert not {"x13", "x12"} & trained
    assert {"x11", "x10", "x09"} <= trained
    leaked = split_facts(examples, splits, own, 0, CLASSES)["leaked"]
    assert leaked == [{"id": name, "like": "x14", "because": "identical"} for name in ("x12", "x13")]


def test_rows_of_a_table_are_different_examples_and_copies_of_pictures_and_texts_are_not() -> None:
    kinds = {name: declared.load().duplicates for name, declared in declarations("data/modalities").items()}
    together = dict.fromkeys(["tables", "mixed_columns", "features"], "together")
    assert kinds == {**together, "images": "one", "texts": "one"}


def split_of(
    examples: pd.DataFrame, class_names: list[str], modality: str = "images", duplicates: str | None = None
) -> None:
    """Runs the stage `split` in the working folder."""
    write_parquet("examples.parquet", examples)
    write_inputs(
        "inputs.safetensors",
        np.ones((len(examples), 1, 1, 1) if modality == "images" else (len(examples), 1), np.float32),
    )
    known = {"source": "s", "dataset_digest": "d", "origin": "o", "modality": {"name": modality}, "personal": True}
    write_json("manifest.json", {"class_names": class_names, **known})
    settings = DataSettings(train=6, validation=3, test=3, noise=NoiseSettings("none"), duplicates=duplicates)
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


@pytest.mark.parametrize(
    ("modality", "configured", "taking_part"),
    [
        ("tables", None, "together"),
        ("tables", "one", "one"),
        ("images", None, "one"),
        ("images", "together", "together"),
    ],
)
def test_the_stage_split_takes_what_is_configured_and_else_what_the_modality_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, modality: str, configured: str | None, taking_part: str
) -> None:
    monkeypatch.chdir(tmp_path)
    split_of(examples_of("aabcdefghijklm", [0, 1] * 7), CLASSES, modality, configured)
    n_left_out = 1 if taking_part == "one" else 0
    assert read_json("facts.json")["duplicates"] == {
        "taking_part": taking_part,
        "n_copies": 1,
        "n_left_out": n_left_out,
    }
    said = f"1 example repeats the content of another one{', of which 1' if n_left_out else '; that'}"
    assert said in Path("split.log").read_text()
    values = [value for event in read_events("split.0.record.jsonl") for value in event.get("values", {}).items()]
    assert ("n_copies", 1) in values


def test_the_stage_split_refuses_a_declared_class_without_examples(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(HeftError, match=r"^data: class 2 \(cow\) has no examples that take part; leave"):
        split_of(examples_of("abcdefghijklmn", [0, 1] * 7), [*CLASSES, "cow"])
