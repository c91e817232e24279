"""Validation and test are drawn from trusted examples first, once; where labels are not checked, that is said."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from data_cases import balanced

from heft.artifacts import read_json, read_parquet
from heft.auxiliary.validation_labels import readers_of_validation_labels
from heft.data.checked import check_raw_data
from heft.data.prepare import prepare
from heft.data.raw_data import RawData
from heft.data.settings import DataSettings, NoiseSettings
from heft.data.split import draw_split
from heft.data.split_facts import split_facts
from heft.data.trust import sentence_on_trust
from heft.data.trusted import with_trusted
from heft.errors import HeftError
from heft.own_module import MODULES_VARIABLE
from heft.registry import find

CLEAN = DataSettings(train=60, validation=30, test=30, noise=NoiseSettings("none"))
NAMES = ["cat", "dog", "cow"]


def marked(n_trusted: int, n: int = 150, **columns: Any) -> tuple[pd.DataFrame, np.ndarray]:
    """The last `n_trusted` examples are trusted, as many of each class."""
    table, inputs = balanced(n)
    return table.assign(trusted=table["row"] >= n - n_trusted, **columns), inputs


@pytest.mark.parametrize("columns", [{}, {"group": np.arange(150) // 3}])
def test_validation_and_test_are_trusted_alone_where_there_are_enough(columns: dict[str, Any]) -> None:
    for seed in range(4):
        splits = draw_split(*marked(75, **columns), CLEAN, seed)
        assert splits["test"]["trusted"].all()
        assert splits["validation"]["trusted"].all()
        assert splits["train"]["trusted"].sum() == 15


def test_few_trusted_examples_are_tested_on_first_then_in_validation() -> None:
    splits = draw_split(*marked(45), CLEAN, 0)
    counts = {name: int(split["trusted"].sum()) for name, split in splits.items()}
    assert counts == {"test": 30, "validation": 15, "train": 0}


def test_without_trusted_examples_a_draw_is_what_it_was() -> None:
    table, inputs = balanced()
    plain = draw_split(table, inputs, CLEAN, 0)
    for name, split in draw_split(table.assign(trusted=False), inputs, CLEAN, 0).items():
        assert split.drop(columns="trusted").equals(plain[name])


def test_a_label_that_noise_makes_wrong_is_no_longer_trusted() -> None:
    table, inputs = balanced()
    noisy = replace(CLEAN, noise=NoiseSettings("pairs", 0.25))
    train = draw_split(table.assign(trusted=True), inputs, noisy, 0)["train"]
    assert (train["trusted"] == (train["label"] == train["true_label"])).all()


SOURCE = """
import json
import numpy as np
from heft.data.raw_data import RawData

def load():
    told = json.load(open("told.json"))
    n = 120
    names = np.array(told["names"])
    labels = [told["changed"].get(str(row), names[row % 3]) for row in range(n)]
    inputs = np.arange(2 * n, dtype=np.float32).reshape(n, 2) ** 2
    trusted = np.isin(np.arange(n), told["trusted"]) if told["trusted"] is not None else None
    return RawData(inputs, labels, trusted=trusted)
"""


def drawn_after(told: dict[str, Any], folder: Path) -> dict[str, list[str]]:
    """Prepares what `told` says, over what was there, and draws; the ids of each split."""
    Path("told.json").write_text(json.dumps({"names": ["b", "c", "d"], "changed": {}, "trusted": None} | told))
    prepare("reviewed:load", None, folder)
    examples, names = read_parquet(folder / "examples.parquet"), read_json(folder / "manifest.json")["class_names"]
    splits = draw_split(examples, np.zeros((120, 2)), CLEAN, 0, names)
    for split in splits.values():
        now = examples.set_index("id").loc[split["id"]]
        assert split["label"].tolist() == now["label"].tolist()
        if told.get("trusted"):
            assert split["trusted"].tolist() == now["trusted"].tolist()
    return {name: split["id"].tolist() for name, split in splits.items()}


def test_reviews_change_labels_and_trust_and_move_no_example(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(MODULES_VARIABLE, str(tmp_path))
    (tmp_path / "reviewed.py").write_text(SOURCE)
    more = [*range(40), *range(90, 110)]
    reviewed = {"trusted": more, "changed": {"3": "c", "10": "b", "95": "d"}}
    again = {"trusted": [*more, 111], "changed": {"4": "a", "5": "a", "6": "a", "7": "a"}}  # a class that comes first
    for trusted in (None, [], list(range(50))):
        data = tmp_path / f"data{len(trusted or ())}{trusted is None}"
        first = drawn_after({"trusted": trusted}, data)
        assert drawn_after(reviewed, data) == first
        assert drawn_after(again, data) == first
        assert drawn_after(again, tmp_path / f"{data.name}_anew") != first


def test_a_file_lists_ids_one_a_line_or_in_a_column(tmp_path: Path) -> None:
    data = check_raw_data(RawData(np.zeros((4, 2), np.float32), [0, 1, 0, 1], ids=["a", "b c", "ü", "d"]), "mine")
    (tmp_path / "ids.txt").write_text("b c\n\nü\nnone\n", encoding="utf-8")
    (tmp_path / "ids.csv").write_text("who,id\nme,ü\nme,b c\n", encoding="utf-8")
    for name in ("ids.txt", "ids.csv"):
        read = with_trusted(data, tmp_path / name)
        assert read.trusted is not None
        assert read.trusted.tolist() == [False, True, True, False]
        assert (len(read.notes) == 1) == (name == "ids.txt")
        assert read.files["trusted"] == tmp_path / name
    assert with_trusted(data, tmp_path / "ids.txt").notes[0].startswith("1 of 3 ids in ")
    (tmp_path / "others.txt").write_text("x\ny\n")
    (tmp_path / "empty.txt").write_text("\n")
    with pytest.raises(
        HeftError, match=r"data\.trusted: no example has one of the 2 ids in .*others\.txt, such as x, y"
    ):
        with_trusted(data, tmp_path / "others.txt")
    (tmp_path / "checked/b").mkdir(parents=True)
    with pytest.raises(HeftError, match=r"data\.trusted: .*checked lists no id"):
        with_trusted(data, tmp_path / "checked")
    (tmp_path / "checked/ü").write_bytes(b"x")
    of_folder = with_trusted(data, tmp_path / "checked").trusted
    assert of_folder is not None
    assert of_folder.tolist() == [False, False, True, False]
    with pytest.raises(HeftError, match=r"data\.trusted: .*empty\.txt lists no id"):
        with_trusted(data, tmp_path / "empty.txt")


@pytest.mark.parametrize(
    ("trusted", "sentence"),
    [
        ([True, False], "trusted has 2 entries; expected one for each of 3 examples"),
        ([True, "yes", False], "row 1 has the value 'yes' in trusted; expected true or false"),
        ([0, 1, 2], "row 2 has the value 2 in trusted; expected true or false"),
    ],
)
def test_what_is_no_mark_is_one_sentence(trusted: list[object], sentence: str) -> None:
    with pytest.raises(HeftError, match=f"Data source mine: {sentence}"):
        check_raw_data(RawData(np.zeros((3, 2), np.float32), [0, 1, 0], trusted=trusted), "mine")


def test_unchecked_labels_are_said_with_the_numbers_that_hang_on_them() -> None:
    table, inputs = balanced()
    facts = split_facts(table, draw_split(table, inputs, CLEAN, 0), CLEAN, 0, NAMES)
    assert sentence_on_trust(facts, ["ip", "finetuned"]) == (
        "Labels that a person has checked (data.trusted): 0 of 30 in validation and 0 of 30 in test. The others may be "
        "wrong as often as those of training, which makes unreliable every number on the test split, what validation "
        "chooses (method, action, fraction, best epoch), what reads validation labels (ip, finetuned)."
    )
    alone = "Of 30 examples of validation, the 15 whose labels were checked (data.trusted) alone guide what reads "
    alone += "validation labels; all of them judge."
    for n_trusted, said, guides in ((45, "15 of 30 in validation. The", alone), (75, "", "")):
        table, inputs = marked(n_trusted)
        facts = split_facts(table, draw_split(table, inputs, CLEAN, 0), CLEAN, 0, NAMES)
        assert said in sentence_on_trust(facts, ["ip"])
        assert "reads validation labels" not in sentence_on_trust(facts, ["ip"])  # it reads the checked ones alone
        assert bool(said) == bool(sentence_on_trust(facts, []))
        assert [note for note in facts["notes"] if "guide" in note] == [guide for guide in [guides] if guide]
    known = balanced()[0].assign(true_label=balanced()[0]["label"])
    facts = split_facts(known, draw_split(known, inputs, CLEAN, 0), CLEAN, 0, NAMES)
    assert "every number on the test split" not in sentence_on_trust(facts, [])
    assert sentence_on_trust(facts | {"noise": "pairs"}, []) == ""


def test_readers_of_validation_labels_are_known_by_their_declarations() -> None:
    methods = [find("methods", name) for name in ("loss", "ip", "trusted_loss", "confident_learning", "tracin", "ip")]
    read = readers_of_validation_labels(methods, [find("baselines", "finetuned")])
    assert read == ["ip", "trusted_loss", "tracin", "finetuned"]
