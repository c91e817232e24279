"""A run on a folder of pictures with every fault: it ends well, says what was skipped, and keeps every name."""

import copy
import html
from pathlib import Path

import pytest
from picture_cases import NAMES, save_nasty_folder, save_pictures
from planned import rules_of
from workspace import TINY, Workspace

from heft.artifacts import read_parquet

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with a folder `my pets` beside the configuration, in which the smallest experiment has run."""
    folder = tmp_path_factory.mktemp("pictures")
    save_nasty_folder(folder / "my pets", each=20)
    settings = copy.deepcopy(TINY)
    source = {"image_folder": {"path": "my pets", "size": 16}}
    data = {"source": source, "train": 90, "validation": 30, "test": 30, "noise": {"kind": "none"}}
    settings["definitions"]["small"] |= {"data": data, "actions": ["remove"]}  # type: ignore[index]
    workspace = Workspace(folder, settings)
    workspace.run()
    return workspace


def test_the_report_names_each_class_as_its_folder_is_named_and_what_was_skipped(finished: Workspace) -> None:
    page = html.unescape((finished.folder / "reports/small/index.html").read_text(encoding="utf-8"))
    by_class = page.partition('id="by-class"')[2].partition("<section")[0]
    assert [name for name in NAMES if f">{name}<" not in by_class] == []
    gallery = page.partition('id="cards"')[2].partition("</ol>")[0]
    train = read_parquet(finished.folder / "results/small/seed0/split/train.parquet")["id"]
    shown = [name for name in train if f'<p class="id">{name}</p>' in gallery]
    assert len(shown) == gallery.count("<li") == gallery.count("data:image/png;base64")
    assert "19 examples were skipped: 6 because the file is cut; 2 because" in page
    assert "Left out: 3 files are no pictures (猫 🐈/Thumbs.db, 猫 🐈/notes.txt, README)." in page
    assert "all broken/cut.png" in page.partition('id="left-out-table"')[2]
    log = (finished.folder / "logs/small/prepare.log").read_text(encoding="utf-8")
    assert "19 examples were skipped: " in log


def test_what_hangs_on_the_pictures_runs_again_when_one_is_added(finished: Workspace) -> None:
    assert finished.plan() == []
    Path(finished.folder, "my pets/two words/000.png").touch()
    assert finished.plan() == []
    save_pictures(finished.folder / "my pets", "two words", 1, first=99)
    assert rules_of(finished.plan()) >= {"prepare", "split", "train", "score", "retrain", "evaluate", "report"}
