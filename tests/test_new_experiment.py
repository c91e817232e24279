"""`heft new` writes a file that a run takes, of at most thirty lines, and says what it saw, chose and expects."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from heft.__main__ import main
from heft.errors import HeftError
from heft.workflow.configuration.files import merged, read_file
from heft.workflow.new_experiment.choice import MOST_TRAINED, choose
from heft.workflow.new_experiment.command import PROJECT, experiment_name, new, next_command
from heft.workflow.new_experiment.facts import Facts
from heft.workflow.planning.plan import load_plan

SENTENCES = [f"{word} number {row} is as good as any other of its kind" for row in range(25) for word in ("a", "b")]


@pytest.fixture(autouse=True)
def _in_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def table(n: int = 60, **columns: Any) -> pd.DataFrame:
    numbers = np.random.default_rng(0).standard_normal((n, 2))
    return pd.DataFrame({"x": numbers[:, 0], "y z": numbers[:, 1], "kind": ["a", "b", "c"] * (n // 3)} | columns)


def written(file: Path) -> dict[str, Any]:
    """The one experiment of a file, once a run takes it."""
    text = file.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 30
    assert max(map(len, text.splitlines())) <= 120
    settings = yaml.safe_load(text)
    load_plan(merged(read_file(PROJECT / "config.yaml"), settings), [file.absolute()])
    (name,) = settings["experiments"]
    return settings["definitions"][name]


def test_a_table_becomes_an_experiment_whose_path_begins_beside_the_file(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    table().to_csv(tmp_path / "my 'odd' table, größer.csv", index=False)
    file = new("Pets", "../my 'odd' table, größer.csv")
    assert file == Path("Pets.yaml")
    settings = written(file)
    assert settings["data"]["source"] == {"table": {"path": "../my 'odd' table, größer.csv", "target": "kind"}}
    assert settings["data"]["noise"] == {"kind": "none"}
    assert settings["methods"][0] == "random"
    assert all(isinstance(fraction, float) for fraction in settings["fractions"])
    assert len(settings["seeds"]) >= 3
    said = capsys.readouterr().out
    assert "60 rows in 3 classes" in said
    assert "column kind is the target" in said
    assert "A run takes about" in said
    assert said.splitlines()[-1].startswith("Next: make")


def test_texts_get_an_encoder_and_labels_of_words(tmp_path: Path) -> None:
    pd.DataFrame({"words": SENTENCES, "label": ["no", "yes"] * 25}).to_csv(tmp_path / "texts.csv", index=False)
    settings = written(new("reviews", str(tmp_path / "texts.csv")))
    assert settings["data"]["source"]["text"]["text"] == "words"
    assert settings["encoder"]


def test_images_get_an_encoder_and_what_cannot_be_read_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 16, 16, 3), dtype=np.uint8)
    for row, picture in enumerate(pixels):
        place = tmp_path / "photos" / ("cat" if row % 2 else "hot dog")
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(place / f"{row}.png")
    (tmp_path / "photos/cat/broken.png").write_bytes(b"no picture")
    settings = written(new("photos", str(tmp_path / "photos")))
    assert settings["data"]["source"]["image_folder"]["path"] == "../photos"
    assert "1 will be skipped: cat/broken.png" in capsys.readouterr().out


def test_alike_rows_of_a_table_all_count_and_of_alike_texts_one_does(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pd.concat([table(27), table(3)]).to_csv(tmp_path / "a.csv", index=False)
    written(new("people", str(tmp_path / "a.csv")))
    assert "3 of 30 have the same content as another one; all take part" in capsys.readouterr().out
    texts = pd.DataFrame({"text": SENTENCES[:29], "label": ["no", *["no", "yes"] * 14]})
    pd.concat([texts, texts[-1:]]).to_csv(tmp_path / "texts.csv", index=False)
    with pytest.raises(HeftError, match="there are 29 examples that take part; a comparison needs at least 30"):
        new("reviews", str(tmp_path / "texts.csv"))


def test_a_file_that_is_there_is_never_written_over(tmp_path: Path) -> None:
    table().to_csv(tmp_path / "a.csv", index=False)
    Path("pets.yaml").write_text("mine")
    with pytest.raises(HeftError, match=r"pets\.yaml is there already, and is not written over"):
        new("pets", str(tmp_path / "a.csv"))
    assert Path("pets.yaml").read_text() == "mine"


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"kind": ["a"] * 60}, "kind"),
        ({"kind": np.linspace(0, 1, 60)}, "regression"),
    ],
)
def test_data_that_are_no_classification_are_refused_in_the_words_of_their_source(
    tmp_path: Path, columns: dict[str, Any], said: str
) -> None:
    table(**columns).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(HeftError, match=said):
        new("pets", str(tmp_path / "a.csv"))
    assert not Path("pets.yaml").exists()


def test_too_few_examples_are_refused_with_the_number_that_would_do(tmp_path: Path) -> None:
    table(12).to_csv(tmp_path / "a.csv", index=False)
    with pytest.raises(HeftError, match="there are 12 examples that take part; a comparison needs at least 30"):
        new("pets", str(tmp_path / "a.csv"))


@pytest.mark.parametrize("name", ["", "../pets", ".pets", "été", "--x"])
def test_a_name_of_which_no_experiment_can_be_made_is_one_sentence(name: str) -> None:
    with pytest.raises(HeftError, match="NAME is "):
        experiment_name(name)


def test_the_name_of_the_experiment_is_in_lower_case() -> None:
    assert experiment_name("My Pets-2") == "my_pets_2"
    assert "/my pets.yaml'\"" in next_command(Path("my pets.yaml"))


def facts(**changes: Any) -> Facts:
    plain: dict[str, Any] = {
        **{"n": 1000, "modality": "mixed_columns", "shape": [3], "row_bytes": 24, "counts": {"a": 600, "b": 400}},
        **{"split_counts": {}, "n_left_out": 0, "true_labels": False, "sample": [], "sentences": []},
    }
    return Facts(**(plain | changes))


def test_a_large_data_set_is_cut_and_the_file_says_so() -> None:
    choice = choose(facts(n=1_000_000), {})
    assert choice.sizes == {"train": MOST_TRAINED, "validation": 3571, "test": 7143}
    assert "of 1,000,000" in choice.reasons["train"]


@pytest.mark.parametrize(
    ("own", "sizes"),
    [
        ({"train": 500, "test": 500}, {"train": "rest", "validation": 0.2, "test": "rest"}),
        ({"train": 500, "validation": 100, "test": 400}, {"train": "rest", "validation": "rest", "test": "rest"}),
    ],
)
def test_a_data_sets_own_splits_stay_and_what_is_missing_is_drawn_from_train(
    own: dict[str, int], sizes: dict[str, Any]
) -> None:
    assert choose(facts(split_counts=own), {}).sizes == sizes


def test_the_command_line_says_a_mistake_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["new", "pets", "/no/where"]) == 1
    assert capsys.readouterr().err == "/no/where is not there; DATA names a folder of images or texts, or a file.\n"
